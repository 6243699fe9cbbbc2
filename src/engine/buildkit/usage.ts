/** What the build cache holds and how it is cleared away, as `buildx du` and `buildx prune` ask. */
import type { control, usageRecord } from '../../api/buildkit/control.ts'
import type { From, Of } from '../../api/buildkit/message.ts'
import { timestampOf } from '../../api/buildkit/operations.ts'
import type { Filters } from '../../api/filters.ts'
import { Failure } from '../../lib/failure.ts'
import { type CacheItem, chooseItems } from '../build/cache-prune.ts'
import type { CacheUsage } from '../build/cache-usage.ts'

type Usage = Pick<CacheUsage, 'list' | 'prune'>
type UsageRecord = From<typeof usageRecord>

export async function listUsage(usage: Usage, filter: readonly string[]): Promise<readonly UsageRecord[]> {
  const filters = filtersOf(filter)
  return chooseItems(await usage.list(), { all: true, filters, keep: 0 }).map(recordOf)
}

/** What has gone, when it has. */
export async function* pruneUsage(
  usage: Usage,
  { all, filter, keepDuration, reservedSpace, maxUsedSpace, minFreeSpace }: Of<typeof control.prune.request>,
): AsyncGenerator<UsageRecord> {
  const until: Filters = keepDuration > 0 ? { until: [String((Date.now() - keepDuration / 1e6) / 1000)] } : {}
  const before = new Map((await usage.list()).map(item => [item.id, item]))
  const filters = { ...filtersOf(filter), ...until }
  const space = { most: maxUsedSpace, minFree: minFreeSpace, reserved: reservedSpace }
  const { deleted } = await usage.prune({ all, filters, space })
  for (const id of deleted) {
    const item = before.get(id)
    if (item) yield recordOf(item)
  }
}

/** "type==exec.cachemount", "description~=npm", "inuse", each fitting or not; a comma joins several. */
function filtersOf(texts: readonly string[]): Filters {
  const filters: Record<string, string[]> = {}
  for (const text of texts.flatMap(each => each.split(',')).filter(each => each !== '')) {
    const match = /^([a-z-]+)(?:(==|~=|!=)"?([^"]*)"?)?$/.exec(text)
    if (!match || match[2] === '!=') throw new Failure('unsupported', `Cannot filter the build cache by "${text}"`)
    const [, name = '', , value = 'true'] = match
    filters[name] = [...(filters[name] ?? []), value]
  }
  return filters
}

function recordOf(item: CacheItem): UsageRecord {
  return {
    id: item.id.slice(0, 25),
    mutable: item.type === 'exec.cachemount' || item.type === 'source.local',
    inUse: item.inUse,
    size: item.size,
    createdAt: timestampOf(item.created),
    lastUsedAt: timestampOf(item.lastUsed),
    usageCount: item.uses,
    description: item.description,
    recordType: item.type,
    shared: item.shared,
    parents: item.parents,
  }
}
