/** What was heard of a stack's containers → what a person wants, and what is to be looked at. */
import type { EventMessage } from '../api/events.ts'
import { labels } from '../targets/engine/labels.ts'
import type { Accepted } from './accepted.ts'

export interface Heard {
  readonly action: string
  readonly id: string
  /** Of the container. */
  readonly name: string
  readonly service: string
  /** Milliseconds since 1970, with a fraction. */
  readonly at: number
  readonly signal: string | undefined
  readonly exitCode: number | undefined
}

/** Those that anything follows from; an engine sends no others, so that health checks wake nobody. */
export const heardActions = [
  'start',
  'oom',
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
  const exitCode = Attributes['exitCode'] === undefined ? undefined : Number(Attributes['exitCode'])
  return { project, action: Action, id: ID, name, service, at: timeNano / 1e6, signal, exitCode }
}

/** Signals by which somebody ends a container; a container may have one of its own, which `stop` tells of. */
const deadly = new Set(['2', '3', '9', '15', 'SIGINT', 'SIGQUIT', 'SIGKILL', 'SIGTERM'])

/**
 * By whom an event was caused. mine: by whoever listens. making: by an `up`, which says what it wants itself. turning: by a person's
 * other command. watching: while a watch of a person's has the stack, which repairs it by itself.
 */
export type Cause = 'mine' | 'making' | 'turning' | 'watching' | 'other'

export interface Known {
  readonly accepted: Accepted
  /** Ids of containers that were killed and have not been started since. */
  readonly killed: ReadonlySet<string>
  /** Ids of containers that were sent a deadly signal, when, and whether by a person's command: they may still end. */
  readonly signalled: ReadonlyMap<string, { readonly at: number; readonly meant: boolean }>
  /** Ids of containers that have ended well by themselves. */
  readonly done: ReadonlySet<string>
  /** Ids of containers that the kernel has killed for their memory. */
  readonly outOfMemory: ReadonlySet<string>
}

export const nothingKnown: Omit<Known, 'accepted'> = {
  killed: new Set(),
  signalled: new Map(),
  done: new Set(),
  outOfMemory: new Set(),
}

export interface Follows extends Known {
  /** It is to be looked at what is there. */
  readonly look: boolean
  /** It was started by somebody who knows of no hooks. */
  readonly hooks: boolean
}

/** A signal that does not end a container within so many ms has not ended it. */
const patience = 60_000

/** Pure: what follows from one event; `wanted`: service → replicas. */
export function follow(known: Known, event: Heard, by: { cause: Cause; wanted(service: string): number }): Follows {
  const { cause } = by
  const { accepted } = known
  const same = { ...known, look: false, hooks: false }
  const { id, action } = event
  const foreign = cause === 'other' || cause === 'turning'
  switch (action) {
    case 'start':
      return {
        accepted: { ...accepted, stopped: without(accepted.stopped, id) },
        killed: less(known.killed, id),
        signalled: lessTimes(known.signalled, id),
        done: less(known.done, id),
        outOfMemory: less(known.outOfMemory, id),
        look: cause === 'other',
        hooks: cause === 'other',
      }
    case 'oom':
      return { ...same, outOfMemory: more(known.outOfMemory, id) }
    case 'kill':
      if (!foreign || !deadly.has(event.signal ?? '')) return same
      return {
        ...same,
        signalled: new Map([...known.signalled, [id, { at: event.at, meant: cause === 'turning' }]]),
      }
    case 'die': {
      const outOfMemory = less(known.outOfMemory, id)
      if (!foreign) return { ...same, outOfMemory }
      const signalled = lessTimes(known.signalled, id)
      const rest = { ...same, signalled, outOfMemory }
      if (!wasKilled(known, event)) {
        const done = event.exitCode === 0 ? more(known.done, id) : known.done
        return { ...rest, done, look: cause === 'other' }
      }
      // in a person's own command it is meant, though the end may come after that; a kill by hand is not
      const sent = known.signalled.get(id)
      return sent?.meant && event.at - sent.at <= patience
        ? { ...rest, accepted: { ...accepted, stopped: more(accepted.stopped, id) } }
        : { ...rest, killed: more(known.killed, id), look: true }
    }
    case 'stop':
      // what is stopped, by whatever client, is meant to stay so, as `unless-stopped` has it
      if (!foreign && cause !== 'watching') return same
      return {
        ...same,
        killed: less(known.killed, id),
        accepted: { ...accepted, stopped: more(accepted.stopped, id) },
        look: cause === 'other',
      }
    case 'pause':
      if (cause !== 'turning') return { ...same, look: cause === 'other' }
      return { ...same, accepted: { ...accepted, paused: more(accepted.paused, id) } }
    case 'unpause':
      return { ...same, accepted: { ...accepted, paused: without(accepted.paused, id) } }
    case 'destroy':
      return destroyed(known, event, by)
    default:
      return { ...same, look: cause === 'other' }
  }
}

function destroyed(known: Known, { id, service }: Heard, { cause, wanted }: Parameters<typeof follow>[2]): Follows {
  const { stopped, paused, scale } = known.accepted
  const accepted = { scale, stopped: without(stopped, id), paused: without(paused, id) }
  const gone = {
    accepted,
    killed: less(known.killed, id),
    signalled: lessTimes(known.signalled, id),
    done: less(known.done, id),
    outOfMemory: less(known.outOfMemory, id),
    look: false,
    hooks: false,
  }
  if (cause !== 'other' && cause !== 'turning') return gone
  // whoever stops and then removes it does not want it back, nor what was done
  if (!stopped.includes(id) && !known.done.has(id)) return { ...gone, look: cause === 'other' }
  const left = Math.max(0, (scale[service] ?? wanted(service)) - 1)
  return { ...gone, accepted: { ...accepted, scale: { ...scale, [service]: left } } }
}

/** By a signal through the engine, or by one from the host; not by the kernel, for its memory. */
function wasKilled({ accepted, signalled, outOfMemory }: Known, { id, at, exitCode }: Heard): boolean {
  // engines tell of a stop before or after the end that it caused
  if (outOfMemory.has(id) || accepted.stopped.includes(id)) return false
  const sent = signalled.get(id)?.at
  return (sent !== undefined && at - sent <= patience) || exitCode === 137
}

function without(ids: readonly string[], id: string): readonly string[] {
  return ids.includes(id) ? ids.filter(each => each !== id) : ids
}

function less(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  return ids.has(id) ? new Set([...ids].filter(each => each !== id)) : ids
}

function lessTimes(times: Known['signalled'], id: string): Known['signalled'] {
  return times.has(id) ? new Map([...times].filter(([each]) => each !== id)) : times
}

function more<Ids extends readonly string[] | ReadonlySet<string>>(ids: Ids, id: string): Ids
function more(ids: readonly string[] | ReadonlySet<string>, id: string): readonly string[] | ReadonlySet<string> {
  return ids instanceof Set ? new Set([...ids, id]) : [...without(ids as readonly string[], id), id]
}
