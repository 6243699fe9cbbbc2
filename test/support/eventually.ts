/**
 * Waits for something that another process does: asks again until it holds, never sleeps blindly. What is dear to ask, a command say, is
 * asked less often: it would take the processor from what is waited for.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { patience } from './patience.ts'

/** Resolves with the first truthy answer. @throws the last error, or one naming what was awaited, after `ms`. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  ms = 10_000,
): Promise<Exclude<T, undefined | null | false | '' | 0>> {
  const end = performance.now() + ms * patience
  let error: unknown
  for (;;) {
    const asked = performance.now()
    try {
      const answer = await ask()
      if (answer) return answer as Exclude<T, undefined | null | false | '' | 0>
      error = undefined
    } catch (thrown) {
      error = thrown
    }
    if (performance.now() > end) throw new Error(`waited ${ms * patience} ms in vain for ${what}`, { cause: error })
    const took = performance.now() - asked
    await pause(Math.min(Math.max(20, 2 * took), 400))
  }
}
