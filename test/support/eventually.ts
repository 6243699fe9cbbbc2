/** Waits for something that another process does: asks again until it holds, never sleeps blindly. */
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
    try {
      const answer = await ask()
      if (answer) return answer as Exclude<T, undefined | null | false | '' | 0>
      error = undefined
    } catch (thrown) {
      error = thrown
    }
    if (performance.now() > end) throw new Error(`waited ${ms * patience} ms in vain for ${what}`, { cause: error })
    await pause(20)
  }
}
