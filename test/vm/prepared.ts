/** What the virtual machine boots from: made by recipes that take minutes and the network, and kept for later runs. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

/** The folder with vmlinuz, initramfs and root.img: Debian's kernel, and a system for whichever kernel. */
export function preparedMachine(): string {
  return prepared('test-machine', 'the machine out of Debian packages', [
    'make-machine',
    'add-backports',
    'add-kernel',
    'first',
  ])
}

/** The kernel that is a program. */
export function preparedKernel(): string {
  return join(prepared('test-kernel', "a kernel of Debian's sources", ['make-kernel', 'kernel-config']), 'linux')
}

/** The program that emulates a processor. */
export function preparedEmulator(): string {
  return join(
    prepared('test-emulator', 'the emulator out of Debian packages', ['make-emulator', 'add-backports']),
    'qemu',
  )
}

/** The folder that the recipe's first file fills, made when any of them has changed. */
function prepared(name: string, what: string, recipe: readonly [string, ...string[]]): string {
  const hash = createHash('sha256')
  for (const file of recipe) hash.update(readFileSync(join(here, file)))
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tscompose')
  const folder = join(cache, `${name}-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const part = mkdtempSync(join(cache, 'part-'))
  try {
    console.log(`Making ${what}: it is kept for later runs`)
    execFileSync(join(here, recipe[0]), [part], { stdio: ['ignore', 'inherit', 'inherit'] })
    // somebody else's may have become ready meanwhile
    if (!existsSync(folder)) renameSync(part, folder)
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
  for (const other of readdirSync(cache))
    if (other.startsWith(`${name}-`) && join(cache, other) !== folder)
      rmSync(join(cache, other), { recursive: true, force: true })
  return folder
}
