/** What happened, as Docker's event messages; a bounded history and live subscribers. */
import { EventEmitter, on } from 'node:events'
import { wallClock } from './wall-clock.ts'

export interface EngineEvent {
  readonly type: 'container' | 'image' | 'network' | 'volume' | 'daemon'
  /** create, start, die, "exec_create: sh -c true", "health_status: healthy". */
  readonly action: string
  readonly id: string
  readonly attributes: Readonly<Record<string, string>>
  /** Nanoseconds since the epoch. */
  readonly timeNano: bigint
}

const kept = 1024

export class Events {
  readonly #emitter = new EventEmitter().setMaxListeners(0)
  readonly #history: EngineEvent[] = []

  /** Publishes an event; state must be up to date before, since readers ask back at once. */
  emit(type: EngineEvent['type'], action: string, id: string, attributes: Readonly<Record<string, string>> = {}): void {
    const event = { type, action, id, attributes, timeNano: wallClock() }
    this.#history.push(event)
    if (this.#history.length > kept) this.#history.shift()
    this.#emitter.emit('event', event)
  }

  /** The last 1,024 events, oldest first. */
  get history(): readonly EngineEvent[] {
    return this.#history
  }

  /** Calls `listener` for each event until the returned function is called. */
  listen(listener: (event: EngineEvent) => void): () => void {
    this.#emitter.on('event', listener)
    return () => this.#emitter.off('event', listener)
  }

  /** Live events from the moment of the call until `signal` fires. */
  async *follow(signal: AbortSignal): AsyncGenerator<EngineEvent> {
    try {
      for await (const [event] of on(this.#emitter, 'event', { signal })) yield event as EngineEvent
    } catch (error) {
      // the end of a subscription is not a failure
      if (!signal.aborted) throw error
    }
  }
}
