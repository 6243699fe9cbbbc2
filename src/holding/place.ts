/** Where the keeper of an engine listens. */
import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { parseHost } from '../client/host.ts'

export interface PlaceOf {
  /** The engine's, as text. */
  readonly host: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly uid?: number | undefined
}

/**
 * Beside the socket of an engine of ours; otherwise in a folder of ours or of this user, by the engine's host. Undefined for a user
 * who has no such folder, and so no keeper.
 */
export function keeperSocket({ host, env, uid = process.geteuid?.() }: PlaceOf): string | undefined {
  const place = parseHost(host)
  if (place.kind === 'unix' && basename(place.path) === 'engine.sock') return join(dirname(place.path), 'keeper.sock')
  const name = `keeper-${createHash('sha256').update(host).digest('hex').slice(0, 12)}.sock`
  if (uid === 0) return join('/run/tscompose', name)
  const runtime = env['XDG_RUNTIME_DIR']
  if (!runtime?.startsWith('/')) return undefined
  return join(runtime, 'tscompose', name)
}
