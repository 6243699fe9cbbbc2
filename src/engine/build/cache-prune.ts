/** What of the build cache is to go: as asked by filters, or to come below a budget, what was used longest ago first. Pure. */
import { booleanFilter, type Filters, timeFilter } from '../../api/filters.ts'
import { Failure } from '../../lib/failure.ts'

/** A step's result, the folder of a cache mount, or a file that was downloaded. */
export interface CacheItem {
  readonly id: string
  readonly type: 'regular' | 'exec.cachemount' | 'source.http' | 'source.local'
  readonly description: string
  /** Chain id of what it lies on. */
  readonly parents: readonly string[]
  /** Bytes. */
  readonly size: number
  /** Milliseconds since 1970. */
  readonly created: number
  readonly lastUsed: number
  readonly uses: number
  readonly inUse: boolean
  /** An image has its layer too: removing it frees nothing. */
  readonly shared: boolean
}

export interface PruneRequest {
  /** Also what images have. */
  readonly all: boolean
  readonly filters: Filters
  /** Bytes that may stay; what was used last stays. */
  readonly keep: number
}

/** Bytes that the cache may have, in BuildKit's terms; one that is 0 or not there says nothing, all of them that nothing is kept. */
export interface CacheSpace {
  readonly most?: number | undefined
  /** To be free on its disk. */
  readonly minFree?: number | undefined
  /** Never goes below that. */
  readonly reserved?: number | undefined
}

/** How much is kept of `used` on a disk with so much `free`. */
export function keptBytes({ most = 0, minFree = 0, reserved = 0 }: CacheSpace, used: number, free: number): number {
  if (most === 0 && minFree === 0) return reserved
  const excess = Math.max(0, minFree - free)
  const keep = Math.min(most || Infinity, excess > 0 ? used - excess : Infinity)
  return Math.max(keep, reserved)
}

/** Bytes that are the cache's alone. */
export function usedBytes(items: readonly CacheItem[]): number {
  return items.reduce((sum, item) => sum + (item.shared ? 0 : item.size), 0)
}

const filterNames = [
  'until',
  'unused-for',
  'label',
  'label!',
  'id',
  'parent',
  'type',
  'description',
  'inuse',
  'shared',
  'private',
  'immutable',
  'mutable',
]

/** In the order in which they are to go. @throws Failure `invalid` for a filter that is none. */
export function chooseItems(items: readonly CacheItem[], { all, filters, keep }: PruneRequest): readonly CacheItem[] {
  for (const name of Object.keys(filters))
    if (!filterNames.includes(name))
      throw new Failure('invalid', `failed to prune build cache: invalid filter '${name}'`)
  const until = Math.min(
    ...[...(filters['until'] ?? []), ...(filters['unused-for'] ?? [])].map(text => timeFilter(text)),
  )
  const fits = (item: CacheItem) =>
    !item.inUse && (all || !item.shared) && item.lastUsed <= until && matches(item, filters)
  const oldest = items.filter(fits).sort((a, b) => a.lastUsed - b.lastUsed || a.created - b.created)
  if (keep <= 0) return oldest
  let left = usedBytes(items)
  const chosen: CacheItem[] = []
  for (const item of oldest) {
    if (left <= keep) break
    chosen.push(item)
    if (!item.shared) left -= item.size
  }
  return chosen
}

function matches(item: CacheItem, filters: Filters): boolean {
  const oneOf = (name: string, fits: (wanted: string) => boolean) => !filters[name]?.length || filters[name].some(fits)
  const is = (name: string, value: boolean) => (booleanFilter(filters, name) ?? value) === value
  const mutable = item.type === 'exec.cachemount'
  return (
    // `system prune` passes its own on, and no item has a label
    oneOf('label', () => false) &&
    oneOf('id', wanted => item.id.startsWith(wanted)) &&
    oneOf('type', wanted => item.type === wanted) &&
    oneOf('description', wanted => item.description.includes(wanted)) &&
    oneOf('parent', wanted => item.parents.some(parent => parent.startsWith(wanted))) &&
    is('inuse', item.inUse) &&
    is('shared', item.shared) &&
    is('private', !item.shared) &&
    is('mutable', mutable) &&
    is('immutable', !mutable)
  )
}
