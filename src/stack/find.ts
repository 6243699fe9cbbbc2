/** Which files make the stack, and in which folder: -f, COMPOSE_FILE, or the default names upwards from here. */
import { dirname, join, resolve } from 'node:path'
import { Failure } from '../lib/failure.ts'
import type { Environment } from './env.ts'
import type { Files } from './read.ts'

const names = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']
const overrides = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
]

interface FindOptions {
  readonly files?: readonly string[]
  readonly directory?: string
  readonly cwd: string
}

/** The folder paths resolve in: --project-directory, that of the first file, or the working directory. */
export function projectDirectory(options: FindOptions): string {
  if (options.directory) return resolve(options.cwd, options.directory)
  const first = options.files?.find(file => file !== '-')
  return first === undefined ? options.cwd : dirname(resolve(options.cwd, first))
}

/** -f or COMPOSE_FILE as absolute paths; undefined when neither is given. */
export function namedFiles(options: FindOptions, environment: Environment): readonly string[] | undefined {
  const absolute = (file: string) => (file === '-' ? file : resolve(options.cwd, file))
  if (options.files && options.files.length > 0) return options.files.map(absolute)
  const variable = environment.get('COMPOSE_FILE')
  if (!variable) return undefined
  return variable.split(environment.get('COMPOSE_PATH_SEPARATOR') || ':').map(absolute)
}

/** compose.yaml and its override in `directory` or the nearest folder above that has one. */
export function defaultFiles(directory: string, files: Files): readonly string[] {
  for (let at = directory; ; at = dirname(at)) {
    const found = names.find(name => files.isFile(join(at, name)))
    if (found) {
      const override = overrides.find(name => files.isFile(join(at, name)))
      return override ? [join(at, found), join(at, override)] : [join(at, found)]
    }
    if (dirname(at) === at)
      // Compose's text, which scripts look for
      throw new Failure('not-found', 'no configuration file provided: not found', {
        hint: `There is no ${names[0]} in "${directory}" or above it: name one with -f, or change to its folder`,
      })
  }
}
