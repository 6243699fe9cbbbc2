/** Names in the abstract socket namespace (unix(7)) at which somebody sits who has a project: they die with whoever holds them. */
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'

/** Who holds it, in their own words: not to be trusted, only to be shown. */
export interface Holder {
  readonly pid: number
  readonly user: string
  readonly command: string
}

export interface SeatOf {
  /** The engine's host as text. */
  readonly host: string
  readonly project: string
}

/** apply: whoever applies something to it. watch: whoever watches it. */
export function seatName(kind: 'apply' | 'watch', { host, project }: SeatOf): string {
  const whose = [realHost(host), project]
  const hash = createHash('sha256')
    .update(JSON.stringify(kind === 'apply' ? whose : [...whose, kind]))
    .digest('hex')
  return `\0tscompose/${hash.slice(0, 32)}`
}

/** /var/run/docker.sock and /run/docker.sock are one engine. */
function realHost(host: string): string {
  if (!host.startsWith('unix://')) return host
  try {
    return `unix://${realpathSync(host.slice('unix://'.length))}`
  } catch {
    // not there yet, or not for us to see: then the text is all there is
    return host
  }
}

export function parseHolder(word: string): Holder | undefined {
  let data: unknown
  try {
    data = JSON.parse(word)
  } catch {
    // anybody can listen there and say anything
    return undefined
  }
  if (typeof data !== 'object' || data === null) return undefined
  const { pid, user, command } = data as Readonly<Record<string, unknown>>
  if (typeof pid !== 'number' || typeof user !== 'string' || typeof command !== 'string') return undefined
  return { pid, user, command }
}
