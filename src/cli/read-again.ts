/** How the keeper reads a stack again that it watches: the words of this command line, and of its environment what the files name. */
import { readFileSync } from 'node:fs'
import type { ReadAgain } from '../api/keeper.ts'
import { passedOn } from '../holding/environment.ts'
import { errnoOf, Failure } from '../lib/failure.ts'
import type { Call } from './command.ts'

/** `files`: all that were read, or looked for in vain. @throws Failure `invalid` for what cannot be read twice */
export function readAgain(
  call: Call,
  { host, files }: { readonly host: string; readonly files: readonly string[] },
): ReadAgain {
  const { globals, env, cwd } = call
  const each = (option: string, values: readonly string[]) => values.flatMap(value => [option, value])
  const one = (option: string, value: string | undefined) => (value === undefined ? [] : [option, value])
  const flag = (option: string, isOn: boolean | undefined) => (isOn ? [option] : [])
  if (files.includes('-') || globals.file.includes('-'))
    throw new Failure('invalid', 'Cannot watch a stack that comes from standard input: it can be read only once')
  return {
    arguments: [
      ...one('--host', host),
      ...each('--file', globals.file),
      ...each('--profile', globals.profile),
      ...each('--env-file', globals['env-file']),
      ...one('--project-directory', globals['project-directory']),
      ...one('--project-name', globals['project-name']),
      ...flag('--compatibility', globals.compatibility),
      ...flag('--all-resources', globals['all-resources']),
      ...flag('--strict', globals.strict),
    ],
    directory: cwd,
    environment: { ...passedOn(env), ...namedIn(files, env) },
    files: files.filter(path => path.startsWith('/')),
  }
}

/** Variables that a file may ask for, and those of Compose itself; nothing else of an environment is kept. */
function namedIn(files: readonly string[], env: Call['env']): Record<string, string> {
  const named = new Set(files.flatMap(wordsOf))
  const isAsked = (name: string) => named.has(name) || name.startsWith('COMPOSE_')
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && isAsked(entry[0])),
  )
}

function wordsOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').match(/[A-Za-z_]\w*/g) ?? []
  } catch (error) {
    // looked for in vain, or a folder
    if (errnoOf(error) === undefined) throw error
    return []
  }
}
