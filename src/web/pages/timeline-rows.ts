/** Events of containers, and applies of the history, as one line of time. */
import type { HistoryRow, TimelineEntry } from '../wire.ts'

export interface TimelineRow extends TimelineEntry {
  readonly key: string
}

/** The newest first. */
export function mergedTimeline(
  events: readonly TimelineEntry[],
  applies: readonly HistoryRow[],
): readonly TimelineRow[] {
  const rows: TimelineRow[] = events.map((event, at) => ({ ...event, key: `${event.time} ${at}` }))
  for (const { number, command, user, begun, outcome, what, failures } of applies)
    rows.push({
      key: `apply ${number}`,
      time: Date.parse(begun),
      kind: command === 'repair' ? 'repair' : 'apply',
      service: '',
      container: '',
      text: command === 'repair' ? `repaired by the keeper: ${outcome}` : `${command} by ${user}: ${outcome}`,
      detail: [what, ...failures].filter(each => each !== '').join('; '),
    })
  return rows.sort((a, b) => b.time - a.time)
}
