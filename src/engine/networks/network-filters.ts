/** Which networks a list's or prune's filters mean; pure. */
import { type Filters, matchesLabels, matchesOne, matchesPattern } from '../../api/filters.ts'
import { Failure } from '../../lib/failure.ts'
import type { Network } from './network.ts'

/** Names and ids match as regular expressions anywhere, as with Docker. */
export function matchesNetwork(network: Network, filters: Filters): boolean {
  const some = (asked: readonly string[] | undefined, test: (value: string) => boolean) =>
    asked === undefined || asked.length === 0 || asked.some(test)
  const isDangling = network.members.size === 0 && !network.isPredefined
  return (
    matchesPattern(filters.name, network.name) &&
    matchesPattern(filters.id, network.id) &&
    matchesLabels(filters.label, network.labels) &&
    matchesOne(filters.driver, network.driver) &&
    matchesOne(filters.scope, 'local') &&
    matchesOne(filters.type, network.isPredefined ? 'builtin' : 'custom') &&
    some(filters.dangling, value => isDangling === (value === 'true' || value === '1'))
  )
}

/** Milliseconds since the epoch of a time, or of a duration before now ("24h"). @throws Failure `invalid`. */
export function parseUntil(text: string, now = Date.now()): number {
  const duration = /^(\d+)(s|m|h)$/.exec(text)
  if (duration) return now - Number(duration[1]) * { s: 1e3, m: 60e3, h: 3600e3 }[duration[2] as 's' | 'm' | 'h']
  const time = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text)
  if (Number.isNaN(time)) throw new Failure('invalid', `invalid filter 'until=${text}'`)
  return time
}
