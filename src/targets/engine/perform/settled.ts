/** Engines that answer that a container is still busy are asked again when something has happened to it. */
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../../lib/failure.ts'
import type { Waiter } from './wait.ts'

/** Docker's words when a container is acted on faster than its process is reaped, or while somebody else acts on it. */
const busy = /container init still running|is being restarted, wait|did not receive an exit event|already in progress/

/** Something goes wrong when it takes longer. */
const most = 60_000
/** What it waits for may have happened before it was told so: then no event comes. */
const unheard = 500

export interface Busy {
  readonly waiter: Waiter
  readonly id: string
  readonly signal: AbortSignal
}

export async function onceSettled<T>({ waiter, id, signal }: Busy, call: () => Promise<T>): Promise<T> {
  const begun = Date.now()
  for (;;) {
    // first the ear, then the call: nothing can happen unheard between the two
    using changes = waiter.listen(id)
    const since = Date.now()
    try {
      return await call()
    } catch (error) {
      if (!busy.test(messageOf(error)) || Date.now() - begun > most || signal.aborted) throw error
      await waiter.subscribe(since)
      const late = new AbortController()
      await Promise.race([changes.next(), pause(unheard, undefined, { signal: late.signal }).catch(() => undefined)])
      late.abort()
    }
  }
}
