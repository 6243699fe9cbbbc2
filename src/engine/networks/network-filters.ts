/** Which networks a list's or prune's filters mean; pure. */
import {
  booleanFilter,
  checkFilters,
  type Filters,
  matchesLabels,
  matchesOne,
  matchesPattern,
} from '../../api/filters.ts'
import { Failure } from '../../lib/failure.ts'
import type { Network } from './network.ts'

/** @throws Failure `invalid` for a filter that there is not, and a type that no network is of. */
export function checkNetworkFilters(filters: Filters): void {
  checkFilters(filters, ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'])
  for (const type of filters['type'] ?? [])
    if (type !== 'builtin' && type !== 'custom') throw new Failure('invalid', `invalid filter: 'type'='${type}'`)
}

/** Names and ids match as regular expressions anywhere, as with Docker. @throws Failure `invalid` for what is no boolean. */
export function matchesNetwork(network: Network, filters: Filters): boolean {
  const dangling = booleanFilter(filters, 'dangling')
  const isDangling = network.members.size === 0 && !network.isPredefined
  return (
    matchesPattern(filters.name, network.name) &&
    matchesPattern(filters.id, network.id) &&
    matchesLabels(filters.label, network.labels) &&
    matchesOne(filters.driver, network.driver) &&
    matchesOne(filters.scope, 'local') &&
    matchesOne(filters.type, network.isPredefined ? 'builtin' : 'custom') &&
    (dangling === undefined || isDangling === dangling)
  )
}
