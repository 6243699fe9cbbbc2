/** Listens to an engine for those who keep stacks as they should be; goes on when the engine has been away, with what it told meanwhile. */
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../api/endpoints.ts'
import type { EventMessage } from '../api/events.ts'
import type { Client } from '../client/client.ts'
import { labels } from '../targets/engine/labels.ts'
import { heardActions } from './heard.ts'

export interface Listening {
  readonly client: Client
  readonly signal: AbortSignal
  /** It is listened to from now on: for the first time, or again. */
  begun(isFirst: boolean): void
  /** `isPast`: it happened before that. */
  hear(event: EventMessage, isPast: boolean): void
  /** It cannot be heard, told once; undefined: it has ended its events in order. */
  lost(error: unknown): void
}

/** By which the name of an image may have come to mean another one. */
const imageActions = ['tag', 'pull', 'load'] as const
const firstDelay = 100
const longestDelay = 5000

/** Until the signal fires; never fails. */
export async function listen({ client, signal, begun, hear, lost }: Listening): Promise<void> {
  let delay = firstDelay
  /** In nanoseconds since 1970: what has been heard. */
  let since = 1n
  let isFirst = true
  while (!signal.aborted) {
    const startedAt = Date.now()
    try {
      const query = {
        filters: { type: ['container', 'network', 'image'], event: [...heardActions, ...imageActions] },
        since,
      }
      const events = await client.stream(endpoints.events, { query }, { signal })
      delay = firstDelay
      begun(isFirst)
      isFirst = false
      for await (const event of events) {
        hear(event, event.timeNano / 1e6 < startedAt)
        since = BigInt(Math.floor(event.timeNano)) + 1n
      }
      if (signal.aborted) return
      lost(undefined)
    } catch (error) {
      if (signal.aborted) return
      if (delay === firstDelay) lost(error)
    }
    if (since === 1n) since = BigInt(startedAt) * 1_000_000n
    await pause(delay, undefined, { signal }).catch(() => undefined)
    delay = Math.min(delay * 2, longestDelay)
  }
}

/** The name of the project whose container an event is about; undefined for what is nobody's. */
export function projectOf({ Actor }: EventMessage): string | undefined {
  return Actor.Attributes[labels.project]
}
