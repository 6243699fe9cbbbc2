/** Debian's wrk, which asks a web server as fast as it answers. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type CommandOptions, command, type Said } from './command.ts'
import { which } from './needs.ts'

/** Where the set-up puts it, with the libraries it needs, when the machine has none. */
const unpacked = fileURLToPath(new URL('../../node_modules/.cache/wrk/usr/', import.meta.url))
const own = which('wrk')
const program = own ?? `${unpacked}bin/wrk`
export const hasWrk = existsSync(program)

/** `until`: it asks as long as something else is done, and takes what time processors have left beside that. */
export function wrk(args: readonly string[], { until }: Pick<CommandOptions, 'until'> = {}): Promise<Said> {
  const machine = process.arch === 'x64' ? 'x86_64' : 'aarch64'
  const env = own ? {} : { LD_LIBRARY_PATH: `${unpacked}lib/${machine}-linux-gnu` }
  const options = { env, timeout: 120_000 }
  return until
    ? command('nice', ['-n', '19', program, ...args], { ...options, until })
    : command(program, args, options)
}
