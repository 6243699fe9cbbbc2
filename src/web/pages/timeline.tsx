/** What has happened to the stack, the newest first: the engine's events, and what was applied and repaired. */
import { useEffect, useState } from 'preact/hooks'
import type { HistoryRow, TimelineEntry } from '../wire.ts'
import { ask, ofStack } from './ask.ts'
import { Empty, Waiting } from './bits.tsx'
import { clockText } from './log-buffer.ts'
import { type PanelProps, pathOf } from './route.ts'
import { watch } from './socket.ts'
import { stackOf } from './store.ts'
import { mergedTimeline } from './timeline-rows.ts'

export function TimelinePanel({ stack }: PanelProps) {
  const [events, setEvents] = useState<readonly TimelineEntry[]>([])
  const [applies, setApplies] = useState<readonly HistoryRow[] | undefined>(undefined)
  const job = stackOf(stack).value?.job
  useEffect(() => {
    void ask<readonly HistoryRow[]>(ofStack(stack, 'history')).then(setApplies)
  }, [stack, job, Math.floor(events.length / 10)])
  useEffect(() => {
    let gathered: TimelineEntry[] = []
    let due: ReturnType<typeof setTimeout> | undefined
    const stop = watch(
      { topic: 'events', stack },
      {
        begin: () => setEvents([]),
        data(data) {
          gathered.push(data as TimelineEntry)
          due ??= setTimeout(() => {
            due = undefined
            const more = gathered
            gathered = []
            setEvents(before => [...before, ...more].slice(-1000))
          }, 50)
        },
      },
    )
    return () => {
      clearTimeout(due)
      stop()
    }
  }, [stack])
  if (!applies) return <Waiting what="Reading…" />
  const rows = mergedTimeline(events, applies)
  if (rows.length === 0) return <Empty title="Nothing has happened in the last hour" />
  return (
    <ol class="timeline">
      {rows.slice(0, 400).map(({ key, time, kind, text, service, container, detail }) => (
        <li key={key} class={`event is-${kind}`}>
          <time class="event-time" dateTime={new Date(time).toISOString()}>
            {clockText(time).slice(0, 8)}
          </time>
          <span class="event-mark" aria-hidden="true" />
          <span class="event-text">
            {service !== '' && (
              <a
                href={pathOf(stack, 'logs', { services: service, since: String(time - 3000), live: 'no' })}
                title="The log around it"
              >
                {container}
              </a>
            )}{' '}
            {text}
            {detail && <span class="muted event-detail">{detail}</span>}
          </span>
        </li>
      ))}
    </ol>
  )
}
