/** What was applied to a stack: the list, one apply against another, and the model of one. */
import { compareApplies, type Side } from '../history/compare.ts'
import { type Entry, outcomeOf, repairing } from '../history/entry.ts'
import { History } from '../history/history.ts'
import { Failure } from '../lib/failure.ts'
import { thaw } from '../model/frozen.ts'
import { changesInWords } from '../view/applies.ts'
import { modelText } from './history-text.ts'
import type { Roads } from './roads.ts'
import { type Route, read } from './routes.ts'
import type { HistoryDiff, HistoryRow } from './wire.ts'

export function historyRoutes({ client, env }: Pick<Roads, 'client' | 'env'>): readonly Route[] {
  const historyOf = (stack: string) => new History(stack, { host: client.host, env })
  const sideOf = ({ number, command, model, images, files, scale }: Entry): Side => {
    if (model === undefined)
      throw new Failure('invalid', `Cannot compare ${number}: it was "${command}", which leaves nothing to be`)
    return { project: thaw(model, env), images, files, ...(scale && { scale }) }
  }
  return [
    read(
      'GET /api/stacks/{stack}/history',
      async ({ params }): Promise<readonly HistoryRow[]> =>
        historyOf(params['stack']!).read().entries.toReversed().map(rowOf),
    ),
    read('GET /api/stacks/{stack}/history/{to}/diff', async ({ params, query }): Promise<HistoryDiff> => {
      const history = historyOf(params['stack']!)
      const to = history.get(numberOf(params['to']!))
      const given = query.get('from')
      const from = given === null ? before(history, to) : history.get(numberOf(given))
      const sides = [from ? sideOf(from) : undefined, sideOf(to)] as const
      return {
        from: from?.number ?? 0,
        to: to.number,
        differences: sides[0] ? compareApplies(sides[0], sides[1]) : [],
        texts: [sides[0] ? modelText(sides[0].project) : '', modelText(sides[1].project)],
      }
    }),
  ]
}

/** The apply that was in force before; undefined: it is the first that is kept. */
function before(history: History, { number }: Entry): Entry | undefined {
  return history
    .read()
    .entries.findLast(entry => entry.number < number && entry.model !== undefined && entry.command !== repairing)
}

function numberOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new Failure('invalid', `"${text}" is no apply of a history`)
}

function rowOf(entry: Entry): HistoryRow {
  const { number, command, services = [], to, user, begun, ended, outcome, changes, images, model } = entry
  return {
    number,
    command: [command, ...(to === undefined ? [] : [String(to)]), ...services].join(' '),
    user,
    begun,
    ...(ended !== undefined && { ended }),
    outcome: outcomeOf(entry),
    failures: outcome.kind === 'failed' ? outcome.failures : [],
    what: changesInWords(changes),
    images: Object.fromEntries(Object.entries(images).map(([name, { id, digest }]) => [name, digest ?? id])),
    hasModel: model !== undefined,
  }
}
