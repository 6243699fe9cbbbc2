/** Work that several may ask for at once is done once: all hear its progress, and it is cancelled when the last one leaves. */

import type { Progress } from '../../api/json-lines.ts'
import { Failure } from '../../lib/failure.ts'

interface Flight<T, E> {
  readonly result: Promise<T>
  readonly controller: AbortController
  readonly listeners: Set<(told: E) => void>
  waiting: number
}

export interface Participant<E> {
  readonly signal: AbortSignal | undefined
  readonly onProgress: (told: E) => void
}

/** `E` is what is told while it runs. */
export class SharedWork<T, E = Progress> {
  readonly #flights = new Map<string, Flight<T, E>>()

  /** Joins the work under `key`, or starts it. */
  async run(
    key: string,
    { signal, onProgress }: Participant<E>,
    work: (signal: AbortSignal, onProgress: (told: E) => void) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted()
    const flight = this.#flights.get(key) ?? this.#start(key, work)
    flight.waiting++
    flight.listeners.add(onProgress)
    const left = Promise.withResolvers<never>()
    const leave = () => left.reject(new Failure('cancelled', `Cannot go on with "${key}": cancelled`))
    signal?.addEventListener('abort', leave, { once: true })
    try {
      return await Promise.race([flight.result, left.promise])
    } finally {
      signal?.removeEventListener('abort', leave)
      flight.listeners.delete(onProgress)
      if (--flight.waiting === 0) {
        if (this.#flights.get(key) === flight) this.#flights.delete(key)
        flight.controller.abort()
        // the one who leaves last sees to it that nothing is left
        await flight.result.catch(() => undefined)
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal, onProgress: (told: E) => void) => Promise<T>): Flight<T, E> {
    const controller = new AbortController()
    const listeners = new Set<(told: E) => void>()
    const result = work(controller.signal, told => {
      for (const listener of listeners) listener(told)
    })
    const flight: Flight<T, E> = { result, controller, listeners, waiting: 0 }
    this.#flights.set(key, flight)
    return flight
  }
}
