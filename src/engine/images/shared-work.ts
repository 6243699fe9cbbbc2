/** Work that several may ask for at once is done once: all hear its progress, and it is cancelled when the last one leaves. */
import { Failure } from '../../lib/failure.ts'
import type { OnProgress } from './progress.ts'

interface Flight<T> {
  readonly result: Promise<T>
  readonly controller: AbortController
  readonly listeners: Set<OnProgress>
  waiting: number
}

export interface Participant {
  readonly signal: AbortSignal | undefined
  readonly onProgress: OnProgress
}

export class SharedWork<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /** Joins the work under `key`, or starts it. */
  async run(
    key: string,
    { signal, onProgress }: Participant,
    work: (signal: AbortSignal, onProgress: OnProgress) => Promise<T>,
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

  #start(key: string, work: (signal: AbortSignal, onProgress: OnProgress) => Promise<T>): Flight<T> {
    const controller = new AbortController()
    const listeners = new Set<OnProgress>()
    const result = work(controller.signal, line => {
      for (const listener of listeners) listener(line)
    })
    const flight: Flight<T> = { result, controller, listeners, waiting: 0 }
    this.#flights.set(key, flight)
    return flight
  }
}
