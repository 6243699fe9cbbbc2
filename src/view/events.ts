/** What has happened to a container as a row. */
import type { EventMessage } from '../api/events.ts'
import { labels } from '../targets/engine/labels.ts'
import type { TargetEvent } from '../targets/target.ts'

/** As Compose's `events --json` has it. */
export type EventRow = TargetEvent

/** Undefined for what is no matter of a service: other things than containers, and containers of `run`. */
export function eventRow({ Type, Action, Actor, time, timeNano }: EventMessage): EventRow | undefined {
  const { Attributes: attributes, ID: id } = Actor
  if (Type !== 'container' || attributes[labels.oneOff] === 'True') return undefined
  const fraction = String(BigInt(timeNano) % 1_000_000_000n).padStart(9, '0')
  return {
    action: Action,
    attributes: Object.fromEntries(Object.entries(attributes).filter(([key]) => !isOurs(key))),
    id,
    service: attributes[labels.service] ?? '',
    time: `${new Date(time * 1000).toISOString().slice(0, 19)}.${fraction}Z`,
    type: Type,
  }
}

function isOurs(label: string): boolean {
  return label.startsWith('com.docker.compose.') || label === labels.fields
}

/** As Compose prints it without --json. */
export function eventText({ time, type, action, id, attributes }: EventRow): string {
  const list = Object.entries(attributes).map(([key, value]) => `${key}=${value}`)
  return `${time.slice(0, 10)} ${time.slice(11, 26)} ${type} ${action} ${id} (${list.join(', ')})`
}
