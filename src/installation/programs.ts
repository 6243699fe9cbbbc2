/** Which program a run of the one file is: the command line, or, by its first word, one that another of ours starts. */
import { keeperFlags } from './node-flags.ts'

export interface OneProgram {
  /** The asset that holds its script. */
  readonly asset: string
  /** Files beside the executable's own memory: what the kernel or a thread loads by path. */
  readonly needsFiles: boolean
  /** V8's, which Node would take from the command line. */
  readonly flags: readonly string[]
}

const programs: Readonly<Record<string, OneProgram>> = {
  '@engine': { asset: 'engine.js', needsFiles: true, flags: [] },
  '@keeper': { asset: 'keeper.js', needsFiles: false, flags: keeperFlags },
  '@redirect': { asset: 'redirect.js', needsFiles: true, flags: [] },
}

const commandLine: OneProgram = { asset: 'cli.js', needsFiles: false, flags: [] }

/** @param word the first after the executable's own name */
export function programOf(word: string | undefined): { readonly program: OneProgram; readonly isNamed: boolean } {
  const named = word !== undefined && Object.hasOwn(programs, word) ? programs[word] : undefined
  return { program: named ?? commandLine, isNamed: named !== undefined }
}
