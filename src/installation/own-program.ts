/** How one program of ours starts another: by its file, or, where all of them are in one executable, by a word to that. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** By name, what starts each, seen from src/. */
const starts = {
  cli: 'cli/start.cjs',
  engine: 'engine/start.cjs',
  keeper: 'keeper/start.cjs',
  redirect: 'engine/dns/redirect-start.cjs',
} as const

export type OwnProgram = keyof typeof starts

/** Whether all programs are in the executable that runs (Node's single executable applications). */
export function isOneFile(): boolean {
  return process.getBuiltinModule('node:sea').isSea()
}

/** Program and first arguments; `flags` are Node's, of which the one file has its own (programs.ts). */
export function ownProgram(name: OwnProgram, flags: readonly string[] = []): readonly [string, ...string[]] {
  // of the one executable the command line is what it is without a word
  if (isOneFile()) return name === 'cli' ? [process.execPath] : [process.execPath, `@${name}`]
  const start = fileURLToPath(new URL(`../${starts[name]}`, import.meta.url))
  return [process.execPath, '--disable-warning=ExperimentalWarning', ...flags, start]
}

/**
 * Whether these words, the command line of a process, are those of our program `name`, as this or another installation starts it. `folder`: where
 * it works, from which paths among them are seen.
 */
export function isOwnProgram(words: readonly string[], name: OwnProgram, folder = '/'): boolean {
  return words.some(word => {
    if (word === `@${name}`) return true
    const path = resolve(folder, word)
    return path.endsWith(`/src/${starts[name]}`) || path.endsWith(`/src/${name}/main.ts`)
  })
}
