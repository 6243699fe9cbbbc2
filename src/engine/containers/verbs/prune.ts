/** Removes the containers that do not run, by label and age. */
import { checkFilters, type Filters, matchesLabels, untilFilter } from '../../../api/filters.ts'
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
  await forgetPast(parts, filters)
  parts.events.emit('container', 'prune', '', { reclaimed: String(reclaimed) })
  return { ContainersDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: reclaimed }
}

/** What is the past of no container any more. */
async function forgetPast(parts: Parts, filters: Filters): Promise<void> {
  const names = new Set([...parts.all()].map(({ name }) => name))
  const before = untilFilter(filters)
  await parts.pastLogs.forget(
    ({ name, labels, removed }) =>
      !names.has(name) && isLabelled(filters, labels) && (before === undefined || Date.parse(removed) < before),
  )
}

function isLabelled(filters: Filters, labels: Readonly<Record<string, string>>): boolean {
  return (
    matchesLabels(filters['label'], labels) && !(filters['label!'] ?? []).some(label => matchesLabels([label], labels))
  )
}

export function selectPruned(parts: Parts, filters: Filters, now = Date.now()): Container[] {
  checkFilters(filters, ['label', 'label!', 'until'])
  const before = untilFilter(filters, now)
  return [...parts.all()].filter(container => {
    const { status } = container.state
    const labels = container.record.config.Labels
    return (
      (status === 'created' || status === 'exited' || status === 'dead') &&
      isLabelled(filters, labels) &&
      (before === undefined || Date.parse(container.record.created) < before)
    )
  })
}
