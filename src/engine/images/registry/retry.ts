/** Trying again what a registry or the network may do better the next time. */
import type { IncomingMessage } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { Failure, isFailure } from '../../../lib/failure.ts'
import type { RegistrySettings } from './settings.ts'

/** The longest that is waited at once, ms; a registry that asks for more is not obeyed. */
const longest = 30_000

export class Retry {
  readonly #settings: Pick<RegistrySettings, 'retries' | 'backoff'>
  readonly #signal: AbortSignal
  #failed = 0

  constructor(settings: Pick<RegistrySettings, 'retries' | 'backoff'>, signal: AbortSignal) {
    this.#settings = settings
    this.#signal = signal
  }

  /** It got further: the patience is whole again. */
  advanced(): void {
    this.#failed = 0
  }

  /**
   * Waits before the next try, twice as long each time. @param asked by the registry, seconds.
   * @throws `failure` when it has been tried often enough, Failure `cancelled`.
   */
  async after(
    failure: unknown,
    {
      asked,
      onWait,
    }: { readonly asked?: number | undefined; readonly onWait?: ((seconds: number) => void) | undefined } = {},
  ): Promise<void> {
    const { retries, backoff } = this.#settings
    if (!isFailure(failure, 'unavailable') || this.#failed >= retries) throw failure
    const wait = Math.min(longest, Math.max(backoff * 2 ** this.#failed, (asked ?? 0) * 1000))
    this.#failed++
    if (wait >= 1000) onWait?.(Math.round(wait / 1000))
    try {
      await pause(wait, undefined, { signal: this.#signal })
    } catch (cause) {
      throw new Failure('cancelled', 'cancelled', { cause })
    }
  }
}

/** Whether a status is of the moment: too many requests, or a registry that is just starting or overloaded. */
export function isPassing({ statusCode = 0 }: IncomingMessage): boolean {
  return [408, 429, 500, 502, 503, 504].includes(statusCode)
}

/** Seconds, of "Retry-After: 5". */
export function askedWait({ headers }: IncomingMessage): number | undefined {
  const seconds = Number(headers['retry-after'])
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined
}
