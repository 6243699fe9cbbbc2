/** What was heard of a stack's containers → what a person wants, and what is to be looked at. */
import type { EventMessage } from '../api/events.ts'
import { labels } from '../targets/engine/labels.ts'
import type { Accepted } from './records.ts'

export interface Heard {
  readonly action: string
  readonly id: string
  /** Of the container. */
  readonly name: string
  readonly service: string
  /** Milliseconds since 1970, with a fraction. */
  readonly at: number
  readonly signal: string | undefined
}

/** Those that anything follows from; an engine sends no others, so that health checks wake nobody. */
export const heardActions = [
  'start',
  'die',
  'kill',
  'stop',
  'pause',
  'unpause',
  'destroy',
  'update',
  'health_status',
  'connect',
  'disconnect',
] as const

/** Undefined for what is no service's: one-off containers, others' containers, networks. */
export function heard({
  Type,
  Action,
  Actor,
  timeNano,
}: EventMessage): (Heard & { readonly project: string }) | undefined {
  const { Attributes, ID } = Actor
  const project = Attributes[labels.project]
  const service = Attributes[labels.service]
  if (Type !== 'container' || project === undefined || service === undefined) return undefined
  if (Attributes[labels.oneOff] === 'True') return undefined
  const { name = '', signal } = Attributes
  return { project, action: Action, id: ID, name, service, at: timeNano / 1e6, signal }
}

/** Signals by which somebody ends a container; a container may have one of its own, which `stop` tells of. */
const deadly = new Set(['2', '3', '9', '15', 'SIGINT', 'SIGQUIT', 'SIGKILL', 'SIGTERM'])

/** By whom an event was caused. mine: by the keeper. making: by an `up`, which says what it wants itself. turning: by a person's other command. */
export type Cause = 'mine' | 'making' | 'turning' | 'other'

export interface Known {
  readonly accepted: Accepted
  /** Ids of containers that were killed and have not been started since. */
  readonly killed: ReadonlySet<string>
  /** Ids of containers that were sent a deadly signal and may still end. */
  readonly signalled: ReadonlySet<string>
  /** Service → replicas wanted. */
  readonly wanted: (service: string) => number
}

export interface Follows {
  readonly accepted: Accepted
  readonly killed: ReadonlySet<string>
  readonly signalled: ReadonlySet<string>
  /** It is to be looked at what is there. */
  readonly look: boolean
  /** It was started by somebody who knows of no hooks. */
  readonly hooks: boolean
}

/** Pure: what follows from one event. */
export function follow(known: Known, event: Heard, cause: Cause): Follows {
  const same = { accepted: known.accepted, killed: known.killed, signalled: known.signalled, look: false, hooks: false }
  const { id, action } = event
  const foreign = cause === 'other' || cause === 'turning'
  switch (action) {
    case 'start':
      return {
        accepted: { ...known.accepted, stopped: without(known.accepted.stopped, id) },
        killed: less(known.killed, id),
        signalled: less(known.signalled, id),
        look: cause === 'other',
        hooks: cause === 'other',
      }
    case 'kill':
      if (!foreign || !deadly.has(event.signal ?? '')) return same
      return { ...same, signalled: more(known.signalled, id) }
    case 'die': {
      if (!foreign) return same
      const signalled = less(known.signalled, id)
      if (!known.signalled.has(id)) return { ...same, look: cause === 'other' }
      // in a person's own command it is meant; a kill by hand is not
      return cause === 'turning'
        ? { ...same, signalled, accepted: { ...known.accepted, stopped: [...without(known.accepted.stopped, id), id] } }
        : { ...same, signalled, killed: more(known.killed, id), look: true }
    }
    case 'stop':
      // what is stopped, by whatever client, is meant to stay so, as `unless-stopped` has it
      if (!foreign) return same
      return {
        ...same,
        killed: less(known.killed, id),
        accepted: { ...known.accepted, stopped: [...without(known.accepted.stopped, id), id] },
        look: cause === 'other',
      }
    case 'pause':
      if (cause !== 'turning') return { ...same, look: cause === 'other' }
      return { ...same, accepted: { ...known.accepted, paused: [...without(known.accepted.paused, id), id] } }
    case 'unpause':
      return { ...same, accepted: { ...known.accepted, paused: without(known.accepted.paused, id) } }
    case 'destroy': {
      const { stopped, paused, scale } = known.accepted
      const accepted = { scale, stopped: without(stopped, id), paused: without(paused, id) }
      const gone = { ...same, accepted, killed: less(known.killed, id), signalled: less(known.signalled, id) }
      if (!foreign) return gone
      // whoever stops and then removes it does not want it back
      if (!stopped.includes(id)) return { ...gone, look: cause === 'other' }
      const left = Math.max(0, known.wanted(event.service) - 1)
      return { ...gone, accepted: { ...accepted, scale: { ...scale, [event.service]: left } } }
    }
    default:
      return { ...same, look: cause === 'other' }
  }
}

function without(ids: readonly string[], id: string): readonly string[] {
  return ids.includes(id) ? ids.filter(each => each !== id) : ids
}

function less(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  return ids.has(id) ? new Set([...ids].filter(each => each !== id)) : ids
}

function more(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  return new Set([...ids, id])
}
