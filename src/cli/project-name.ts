/** The project's name without parsing the stack, for commands that need no more: ps, logs, exec, stop. */
import { readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { errnoOf } from '../lib/failure.ts'
import type { LoadOptions } from '../stack/load.ts'

/** The names a stack file has when none is given; the first that is there counts. Those of stack/find.ts. */
const defaultFiles = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']
const overrideFiles = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
]

/** A name as Compose accepts it. */
const plainName = /^[a-z0-9][a-z0-9_-]*$/

export interface QuickProject {
  readonly name: string
  /** The folder of the stack; undefined where the name was given. */
  readonly directory: string | undefined
}

/**
 * The name when it is plain to see: given by option or variable, one literal `name:` line, or the folder's. Undefined in
 * every case that takes the loader to judge (several files, variables in the name, .env deciding, a broken file).
 */
export function quickProject(options: LoadOptions): QuickProject | undefined {
  const { environment, cwd } = options
  const given = options.projectName ?? environment['COMPOSE_PROJECT_NAME']
  if (given) return plainName.test(given) ? { name: given, directory: undefined } : undefined
  if (options.files || options.envFiles || options.directory) return undefined
  if (environment['COMPOSE_FILE'] || environment['COMPOSE_ENV_FILES'] || environment['COMPOSE_DISABLE_ENV_FILE'])
    return undefined
  const found = findUpwards(cwd)
  if (found === undefined) return undefined
  const folder = dirname(found.file)
  // .env may hold COMPOSE_PROJECT_NAME or COMPOSE_FILE, and an override file may hold a name
  const [env, ...overrides] = ['.env', ...overrideFiles].map(file => readText(join(folder, file)))
  if (env?.includes('COMPOSE_') || overrides.some(text => text !== undefined)) return undefined
  const name =
    nameIn(found.text) ?? (/^["']?name["']?\s*:|^\s*\{|^---|^%|^\?/m.test(found.text) ? undefined : folderName(folder))
  return name === undefined ? undefined : { name, directory: folder }
}

/** The value of a top-level `name:` that is a plain word. Content of a block scalar is always indented, so column 0 is a key. */
function nameIn(text: string): string | undefined {
  const lines = [...text.matchAll(/^name:[ \t]+(["']?)([a-z0-9][a-z0-9_-]*)\1[ \t]*(?:#.*)?\r?$/gm)]
  const keys = [...text.matchAll(/^["']?name["']?[ \t]*:/gm)]
  return lines.length === 1 && keys.length === 1 && !/^---|^\?/m.test(text) ? lines[0]![2] : undefined
}

/** As Compose makes it: lower case, nothing but letters, digits, _ and -, and no _ or - in front. */
function folderName(folder: string): string | undefined {
  return (
    basename(folder)
      .toLowerCase()
      .replace(/[^a-z0-9_-]/g, '')
      .replace(/^[_-]+/, '') || undefined
  )
}

function findUpwards(cwd: string): { file: string; text: string } | undefined {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    for (const name of defaultFiles) {
      const text = readText(join(folder, name))
      if (text !== undefined) return { file: join(folder, name), text }
    }
    if (folder === dirname(folder)) return undefined
  }
}

/** The text of the stack file that is found from a folder; undefined where there is none. */
export function stackText(folder: string): string | undefined {
  return findUpwards(folder)?.text
}

// At once and not by promises: a thread for each of seven small files takes longer than reading them.
function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    // anything but "not there" is for the loader to report, which then reads the same file
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
