/** Waits of updates: a new container is watched for a while, and the next batch let wait. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Outcome } from '../../../apply/events.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Waiter } from './wait.ts'

/** @throws Failure `cancelled` when the signal fires. */
export async function patience(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(milliseconds, undefined, { signal })
  } catch (cause) {
    throw new Failure('cancelled', 'No longer waiting', { cause })
  }
}

export interface Monitored {
  readonly name: string
  readonly milliseconds: number
}

/** @throws Failure `conflict` when it ends or is unhealthy before the time is over, with the reason; `cancelled` when the signal fires. */
export async function monitor(
  waiter: Waiter,
  id: string,
  { name, milliseconds }: Monitored,
  signal: AbortSignal,
): Promise<Outcome> {
  await waiter.subscribe()
  using events = waiter.listen(id)
  const abort = (): void => events.push(new Failure('cancelled', `No longer watching "${name}"`))
  const timer = setTimeout(() => events.push('looked at again'), milliseconds)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    // what has befallen it before anybody listened
    const outcome = await waiter.serving(id, name)
    for (;;) {
      const event = await events.next()
      if (event instanceof Error) throw event
      if (typeof event === 'string') return outcome
      if (event.Action === 'health_status: unhealthy')
        throw new Failure('conflict', `container ${name} is unhealthy after it was healthy`)
      if (/^(die|destroy|oom)/.test(event.Action)) {
        const code = event.Actor.Attributes?.['exitCode']
        throw new Failure(
          'conflict',
          `container ${name} exited${code === undefined ? '' : ` (${code})`} while it was watched`,
        )
      }
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
