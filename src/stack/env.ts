/** Which variables interpolation sees: the process's environment, then .env files. */
import { join, resolve } from 'node:path'
import { Failure } from '../lib/failure.ts'
import { type Place, ProblemsFailure } from '../lib/problems.ts'
import { DotenvError, parseDotenv } from './dotenv.ts'
import { parseBool } from './finish.ts'
import type { UnsetVariables } from './interpolate.ts'
import { type Files, shownPath } from './read.ts'
import type { Lookup } from './template.ts'

export type Environment = Map<string, string>

/** Where a variable of a file stands; those of the process are not in it. */
export type Origins = Map<string, Place>

/** The process's environment as a map; PWD is always there. */
export function osEnvironment(environment: Readonly<Record<string, string | undefined>>, cwd: string): Environment {
  const found: Environment = new Map()
  for (const [key, value] of Object.entries(environment)) if (value !== undefined) found.set(key, value)
  if (!found.has('PWD')) found.set('PWD', cwd)
  return found
}

/** The .env files that apply: named ones, those of COMPOSE_ENV_FILES, or the one of the directory. */
export function envFilePaths(
  named: readonly string[] | undefined,
  directory: string,
  context: { environment: Environment; files: Files; cwd: string },
): readonly string[] {
  const { environment, files, cwd } = context
  const fromVariable = environment.get('COMPOSE_ENV_FILES')
  const listed = named && named.length > 0 ? named : fromVariable ? fromVariable.split(',') : undefined
  if (listed) return listed.map(path => resolve(cwd, path.trim()))
  const disabled = environment.get('COMPOSE_DISABLE_ENV_FILE')
  if (disabled !== undefined && (parseBool(disabled) || disabled === '1')) return []
  const standard = join(directory, '.env')
  return files.isFile(standard) ? [standard] : []
}

/** Reads .env files, the later ones winning; references see `lookup` first. A missing file is an error. */
export function readEnvFiles(
  paths: readonly string[],
  lookup: Lookup,
  context: { files: Files; cwd: string; origins?: Origins; unset: UnsetVariables },
): Environment {
  const variables: Environment = new Map()
  for (const path of paths) {
    if (path === '/dev/null') continue
    const text = context.files.read(path)
    if (text === undefined) throw new Failure('invalid', `Cannot find env file "${shownPath(path, context.cwd)}"`)
    const lines = new Map<string, number>()
    const found = parseEnvText(
      text,
      shownPath(path, context.cwd),
      name => lookup(name) ?? variables.get(name),
      (body, see) =>
        parseDotenv(body, see, {
          lines,
          unset: (name, line) => context.unset.add(name, { file: shownPath(path, context.cwd), line, column: 1 }),
        }),
    )
    for (const [key, value] of found) {
      variables.set(key, value)
      context.origins?.set(key, { file: shownPath(path, context.cwd), line: lines.get(key) ?? 1, column: 1 })
    }
  }
  return variables
}

/** Parses env text and turns what is wrong with it into a Problem with its line. */
export function parseEnvText(
  text: string,
  file: string,
  lookup: Lookup,
  parser: (text: string, lookup: Lookup) => Map<string, string> = parseDotenv,
): Map<string, string> {
  try {
    return parser(text, lookup)
  } catch (error) {
    if (!(error instanceof DotenvError)) throw error
    throw new ProblemsFailure([
      {
        severity: 'error',
        code: 'bad-env-file',
        place: { file, line: error.line, column: 1 },
        path: [],
        message: `Cannot read this line: ${error.message}`,
      },
    ])
  }
}

/** The base, and what `more` has that it lacks. */
export function fill(base: Environment, more: Environment): Environment {
  const both = new Map(base)
  for (const [key, value] of more) if (!both.has(key)) both.set(key, value)
  return both
}
