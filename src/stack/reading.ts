/** What every phase that reads files is handed: the files, the variables, the list of problems. */
import type { Problems } from '../lib/problems.ts'
import type { Environment, Origins } from './env.ts'
import type { UnsetVariables } from './interpolate.ts'
import type { Layer } from './parse.ts'
import type { Files } from './read.ts'
import type { Lookup } from './template.ts'

export interface Reading {
  readonly files: Files
  readonly problems: Problems
  readonly unset: UnsetVariables
  readonly environment: Environment
  readonly origins: Origins
  /** Undefined under --no-interpolate. */
  readonly lookup: Lookup | undefined
  readonly home: string | undefined
  readonly cwd: string
  readonly resolvePaths: boolean
  /** Parses a text, and remembers its source; what is wrong is told to `problems`. */
  parse(path: string, text: string, via: readonly string[], problems: Problems): readonly Layer[]
}
