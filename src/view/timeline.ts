/** An event of a container in words, for a line of time; undefined for what nobody would look for there. */
import type { EventMessage } from '../api/events.ts'
import { labels } from '../targets/engine/labels.ts'

export interface TimelineRow {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly kind: 'start' | 'end' | 'bad' | 'health' | 'change'
  readonly service: string
  readonly container: string
  readonly text: string
}

export function timelineEntry({ Type, Action, Actor, timeNano }: EventMessage): TimelineRow | undefined {
  if (Type !== 'container') return undefined
  const own = Actor.Attributes
  const said = wordsOf(Action, own)
  if (said === undefined) return undefined
  const [kind, text] = said
  return {
    time: Math.round(timeNano / 1e6),
    kind,
    service: own[labels.service] ?? '',
    container: own['name'] ?? Actor.ID.slice(0, 12),
    text,
  }
}

type Words = readonly [kind: TimelineRow['kind'], text: string]

function wordsOf(action: string, own: Readonly<Record<string, string>>): Words | undefined {
  if (action.startsWith('health_status')) {
    const status = action.slice('health_status:'.length).trim()
    return status === 'unhealthy' ? ['bad', 'is unhealthy'] : ['health', `is ${status}`]
  }
  switch (action) {
    case 'create':
      return ['change', 'created']
    case 'start':
      return ['start', 'started']
    case 'die': {
      const code = own['exitCode'] ?? '?'
      return code === '0' ? ['end', 'ended'] : ['bad', `ended with ${code}`]
    }
    case 'oom':
      return ['bad', 'ran out of memory']
    case 'kill':
      return ['change', `got signal ${own['signal'] ?? '?'}`]
    case 'pause':
      return ['change', 'paused']
    case 'unpause':
      return ['change', 'goes on']
    case 'rename':
      return ['change', `renamed from ${own['oldName'] ?? '?'}`]
    case 'update':
      return ['change', 'limits changed']
    case 'destroy':
      return ['end', 'removed']
    default:
      return undefined
  }
}
