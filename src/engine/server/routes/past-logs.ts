/** Endpoints of ours: logs of containers that are no more. */
import type { Handlers } from '../../../api/endpoint.ts'
import { checkFilters, type Filters, matchesLabels, matchesOne } from '../../../api/filters.ts'
import type { pastLogEndpoints } from '../../../api/past-logs.ts'
import { Failure } from '../../../lib/failure.ts'
import type { PastLogs, PastRecord } from '../../logs/past-logs.ts'

/** `names`: of all containers there are. */
export function pastLogRoutes(
  past: Pick<PastLogs, 'list' | 'read' | 'forget'>,
  names: () => ReadonlySet<string>,
): Handlers<typeof pastLogEndpoints> {
  return {
    pastLogList: ({ query }) =>
      past
        .list()
        .filter(chosenBy(query.filters))
        .map(({ id, name, labels, removed, size }) => ({
          Id: id,
          Name: name,
          Labels: labels,
          Removed: removed,
          Size: size,
        })),
    pastLogRead: ({ params, query }, { signal }) => {
      const { stdout = false, stderr = false, tail, ...rest } = query
      if (!stdout && !stderr) throw new Failure('invalid', 'Bad parameters: you must choose at least one stream')
      const count = tail !== undefined && /^\d+$/.test(tail) ? Number(tail) : undefined
      return past.read(params.id, { ...rest, stdout, stderr, tail: count, signal })
    },
    pastLogPrune: ({ query }) => {
      if (Object.keys(query.filters ?? {}).length === 0)
        throw new Failure('invalid', 'Cannot forget past logs: no filter says of which containers')
      const [isChosen, there] = [chosenBy(query.filters), names()]
      return past.forget(record => isChosen(record) && !there.has(record.name))
    },
  }
}

function chosenBy(filters: Filters = {}): (record: PastRecord) => boolean {
  checkFilters(filters, ['label', 'name'])
  return ({ name, labels }) => matchesLabels(filters['label'], labels) && matchesOne(filters['name'], name)
}
