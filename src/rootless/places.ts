/** Where an engine of an ordinary user keeps what it has: by the XDG Base Directory Specification. */
import { join } from 'node:path'
import { userRunFolder } from '../client/host.ts'
import { Failure } from '../lib/failure.ts'

export interface UserPlaces {
  /** Gone after the last logout: sockets, monitors' folders, exit records. */
  readonly run: string
  /** Images, volumes, containers. */
  readonly data: string
  /** Where settings may be; the second is the older name. */
  readonly settings: readonly string[]
  /** Who listens there holds the namespaces. */
  readonly namespaces: string
  /** Where published ports are asked for. */
  readonly ports: string
}

type Env = Readonly<Record<string, string | undefined>>

/** @throws Failure `invalid` for a user without a run folder or a home. */
export function userPlaces(env: Env): UserPlaces {
  const run = userRunFolder(env)
  if (run === undefined)
    throw new Failure('invalid', 'Cannot tell where an engine of this user would run: XDG_RUNTIME_DIR is not set', {
      hint: 'Log in as this user, or set XDG_RUNTIME_DIR to a folder of its own',
    })
  return {
    run,
    data: join(baseFolder(env, 'XDG_DATA_HOME', '.local/share'), 'tscompose'),
    settings: ['engine.yaml', 'engine.json'].map(name =>
      join(baseFolder(env, 'XDG_CONFIG_HOME', '.config'), 'tscompose', name),
    ),
    namespaces: join(run, 'namespaces.sock'),
    ports: join(run, 'ports.sock'),
  }
}

/** A relative one counts as none. */
function baseFolder(env: Env, variable: string, usual: string): string {
  const named = env[variable]
  if (named?.startsWith('/')) return named
  if (env['HOME']?.startsWith('/')) return join(env['HOME'], usual)
  throw new Failure('invalid', 'Cannot tell where an engine of this user would keep its data: HOME is not set', {
    hint: `Set ${variable} to a folder of this user`,
  })
}
