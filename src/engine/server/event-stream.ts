/** The engine's events to messages of GET /events: history, filters, an end, and a bounded wait for slow readers. */
import type { EventMessage } from '../../api/events.ts'
import { type Filters, matchesLabels } from '../../api/filters.ts'
import { Failure } from '../../lib/failure.ts'
import type { EngineEvent, Events } from '../base/events.ts'

/** A reader this many behind is cut off: it starts over with `since`, and loses nothing silently. */
const maxBehind = 10_000

/** Filters that ask for what an event is about, also where this engine has no such thing. */
const subjects = new Set(['config', 'container', 'daemon', 'network', 'node', 'plugin', 'secret', 'service', 'volume'])

export interface EventStreamOptions {
  readonly filters?: Filters | undefined
  /** Nanoseconds since the epoch. */
  readonly since?: bigint | undefined
  readonly until?: bigint | undefined
  readonly signal: AbortSignal
}

/** Subscribes at once, so that nothing between the headers and the first read is missed. */
export function eventStream(events: Events, options: EventStreamOptions): AsyncIterable<EventMessage> {
  const { filters = {}, since, until, signal } = options
  if (since !== undefined && until !== undefined && since > until)
    throw new Failure(
      'invalid',
      `\`since\` time (${seconds(since)}) cannot be after \`until\` time (${seconds(until)})`,
    )
  const waiting: EngineEvent[] = []
  let wake: (() => void) | undefined
  let behind = false
  const stop = events.listen(event => {
    if (!matches(event, filters)) return
    if (waiting.length >= maxBehind) behind = true
    else waiting.push(event)
    wake?.()
  })
  signal.addEventListener('abort', stop, { once: true })
  const past = since === undefined && until === undefined ? [] : [...events.history]

  async function* messages(): AsyncGenerator<EventMessage> {
    const untilMs = until === undefined ? undefined : Number(until / 1_000_000n)
    let timer: NodeJS.Timeout | undefined
    const ring = () => wake?.()
    signal.addEventListener('abort', ring)
    try {
      for (const event of past) {
        if (since !== undefined && event.timeNano < since) continue
        if (until !== undefined && event.timeNano > until) continue
        if (since !== undefined && matches(event, filters)) yield toMessage(event)
      }
      for (;;) {
        if (behind) throw new Failure('unavailable', `Cannot go on with events: the reader is ${maxBehind} behind`)
        const event = waiting.shift()
        if (event !== undefined) {
          if (until !== undefined && event.timeNano > until) return
          yield toMessage(event)
          continue
        }
        if (signal.aborted || (untilMs !== undefined && Date.now() >= untilMs)) return
        await new Promise<void>(resolve => {
          wake = resolve
          // setTimeout takes 31 bits of milliseconds; waking early is harmless
          if (untilMs !== undefined) timer = setTimeout(resolve, Math.min(untilMs - Date.now(), 2 ** 30))
        })
        wake = undefined
        clearTimeout(timer)
      }
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', ring)
      signal.removeEventListener('abort', stop)
      stop()
    }
  }
  return messages()
}

/** Values of one filter are alternatives (labels: all of them), filters are all to hold; one that nobody knows is passed over, as by Docker. */
function matches({ type, action, id, attributes }: EngineEvent, filters: Filters): boolean {
  return Object.entries(filters).every(([name, values]) => {
    if (values.length === 0) return true
    switch (name) {
      case 'event':
        // "exec_create" finds "exec_create: sh -c true"
        return values.some(value => action === value || action.startsWith(`${value}:`))
      case 'label':
        return matchesLabels(values, attributes)
      case 'type':
        return values.includes(type)
      case 'scope':
        return values.includes('local')
      case 'image':
        return imageNames({ type, id, attributes }).some(each => values.includes(each))
      default:
        return (
          !subjects.has(name) ||
          (type === name && values.some(value => id.startsWith(value) || attributes['name']?.startsWith(value)))
        )
    }
  })
}

/** What an event of an image, or of a container that is made of one, may be asked for by: with the tag and without. */
function imageNames({ type, id, attributes }: Pick<EngineEvent, 'type' | 'id' | 'attributes'>): readonly string[] {
  const name = attributes[type === 'image' ? 'name' : 'image']
  return [id, name].flatMap(text => (text === undefined ? [] : [text, withoutTag(text)]))
}

/** "busybox" of "busybox:1" and of "docker.io/library/busybox@sha256:…". */
function withoutTag(name: string): string {
  return name
    .replace(/@.*$/, '')
    .replace(/:[^/:]*$/, '')
    .replace(/^docker\.io\/(?:library\/)?/, '')
}

/** Of nanoseconds: "5", "5.25". */
function seconds(time: bigint): string {
  return `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`.replace(/\.?0+$/, '')
}

function toMessage({ type, action, id, attributes, timeNano }: EngineEvent): EventMessage {
  const message = {
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time: Number(timeNano / 1_000_000_000n),
    timeNano: Number(timeNano),
  }
  if (type === 'container') return { status: action, id, from: attributes['image'] ?? '', ...message }
  return type === 'image' ? { status: action, id, ...message } : message
}
