/** The contexts of docker's client: names of engines, in files that its "context" commands write. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { errnoOf, Failure } from '../lib/failure.ts'
import type { Tls } from './tls.ts'

/** Where docker's client keeps its files. */
export function dockerFolder(env: Readonly<Record<string, string | undefined>>): string {
  return env['DOCKER_CONFIG'] || join(env['HOME'] ?? homedir(), '.docker')
}

/** Undefined where none has been chosen. */
export function currentContext(folder: string): string | undefined {
  const parsed = json(join(folder, 'config.json')) as { currentContext?: unknown } | undefined
  return typeof parsed?.currentContext === 'string' && parsed.currentContext !== '' ? parsed.currentContext : undefined
}

export interface ContextEngine {
  readonly host: string
  /** Undefined where the context says nothing of TLS. */
  readonly tls?: Tls
}

/** Contexts, and beside them what they need for TLS, are kept by the hash of their name. @throws Failure `not-found` */
export function contextEngine(folder: string, name: string): ContextEngine {
  const hash = createHash('sha256').update(name).digest('hex')
  const meta = json(join(folder, 'contexts/meta', hash, 'meta.json')) as
    | { Endpoints?: { docker?: { Host?: unknown; SkipTLSVerify?: unknown } } }
    | undefined
  const { Host: host, SkipTLSVerify: skip } = meta?.Endpoints?.docker ?? {}
  if (typeof host !== 'string' || host === '')
    throw new Failure(
      'not-found',
      `Cannot use context "${name}": ${meta ? 'it names no host' : 'there is none of that name'}`,
      { hint: 'See "docker context ls"' },
    )
  const certificates = join(folder, 'contexts/tls', hash, 'docker')
  if (skip !== true && !existsSync(certificates)) return { host }
  // without an authority of its own the machine's count, as with docker's client
  return { host, tls: { folder: certificates, verify: skip !== true, authority: 'any' } }
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
