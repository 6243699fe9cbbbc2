/** The contexts of docker's client: names of engines, in files that its "context" commands write. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { errnoOf, Failure } from '../lib/failure.ts'

/** Where docker's client keeps its files. */
export function dockerFolder(env: Readonly<Record<string, string | undefined>>): string {
  return env['DOCKER_CONFIG'] || join(env['HOME'] ?? homedir(), '.docker')
}

/** Undefined where none has been chosen. */
export function currentContext(folder: string): string | undefined {
  const parsed = json(join(folder, 'config.json')) as { currentContext?: unknown } | undefined
  return typeof parsed?.currentContext === 'string' && parsed.currentContext !== '' ? parsed.currentContext : undefined
}

/** Contexts are kept by the hash of their name. @throws Failure `not-found` */
export function contextHost(folder: string, name: string): string {
  const hash = createHash('sha256').update(name).digest('hex')
  const meta = json(join(folder, 'contexts/meta', hash, 'meta.json')) as
    | { Endpoints?: { docker?: { Host?: unknown } } }
    | undefined
  const host = meta?.Endpoints?.docker?.Host
  if (typeof host === 'string' && host !== '') return host
  throw new Failure(
    'not-found',
    `Cannot use context "${name}": ${meta ? 'it names no host' : 'there is none of that name'}`,
    {
      hint: 'See "docker context ls"',
    },
  )
}

/** Undefined where there is no such file. */
function json(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw new Failure('denied', `Cannot read "${path}"`, { cause })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Failure('invalid', `Cannot read "${path}": it is no JSON`, {
      cause,
    })
  }
}
