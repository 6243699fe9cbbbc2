/** Removes the containers that do not run, by label and age. */
import { checkFilters, type Filters, matchesLabels, timeFilter } from '../../../api/filters.ts'
import { isFailure } from '../../../lib/failure.ts'
import type { Container } from '../container.ts'
import type { Parts } from '../parts.ts'
import { inspect } from '../show/inspect.ts'

export async function prune(
  parts: Parts,
  filters: Filters,
  remove: (container: Container) => Promise<void>,
): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
  const removed: string[] = []
  let reclaimed = 0
  for (const container of selectPruned(parts, filters)) {
    const { SizeRw = 0 } = await inspect(parts, container, { size: true })
    try {
      await remove(container)
    } catch (error) {
      // started or removed by someone else in the meantime
      if (isFailure(error, 'conflict') || isFailure(error, 'not-found')) continue
      throw error
    }
    removed.push(container.id)
    reclaimed += SizeRw
  }
  parts.events.emit('container', 'prune', '', { reclaimed: String(reclaimed) })
  return { ContainersDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: reclaimed }
}

export function selectPruned(parts: Parts, filters: Filters, now = Date.now()): Container[] {
  checkFilters(filters, ['label', 'label!', 'until'])
  const until = filters['until']?.[0]
  const before = until === undefined ? undefined : timeFilter(until, now)
  return [...parts.all()].filter(container => {
    const { status } = container.state
    const labels = container.record.config.Labels
    return (
      (status === 'created' || status === 'exited' || status === 'dead') &&
      matchesLabels(filters['label'], labels) &&
      !(filters['label!'] ?? []).some(label => matchesLabels([label], labels)) &&
      (before === undefined || Date.parse(container.record.created) < before)
    )
  })
}
