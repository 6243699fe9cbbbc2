/** Debian's skopeo, another client of registries. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { command, type Said } from './command.ts'
import { which } from './needs.ts'

/** Where the set-up puts it, with the libraries it needs, when the machine has none. */
const unpacked = fileURLToPath(new URL('../../node_modules/.cache/skopeo/usr/', import.meta.url))
const own = which('skopeo')
const program = own ?? `${unpacked}bin/skopeo`
export const hasSkopeo = existsSync(program)

/** Without checking signatures, which there are none of. */
export function skopeo(...args: readonly string[]): Promise<Said> {
  const machine = process.arch === 'x64' ? 'x86_64' : 'aarch64'
  const env = own ? {} : { LD_LIBRARY_PATH: `${unpacked}lib/${machine}-linux-gnu` }
  return command(program, ['--insecure-policy', ...args], { env, timeout: 120_000 })
}
