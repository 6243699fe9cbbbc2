/** Waits until a container is healthy, completed or ready: by the engine's events, never by asking again and again. */
import type { ContainerState } from '../../../api/containers.ts'
import { containerEndpoints } from '../../../api/containers.ts'
import type { EventMessage } from '../../../api/events.ts'
import { systemEndpoints } from '../../../api/system.ts'
import type { Outcome } from '../../../apply/events.ts'
import type { Client } from '../../../client/client.ts'
import { Failure, messageOf } from '../../../lib/failure.ts'
import type { WaitCondition } from '../operation.ts'

export interface WaitFor {
  readonly name: string
  readonly service: string | undefined
  readonly condition: WaitCondition
}

/**
 * A container without a check is ready, or will never be healthy, when it has run for so long: as with Docker Compose, which looks every so
 * often. One that ends before has a better reason.
 */
const steady = 500

type Heard = EventMessage | Error | 'looked at again'

interface Listening extends Disposable {
  push(event: Exclude<Heard, EventMessage>): void
  next(): Promise<Heard>
}

function timer(milliseconds: number, call: () => void): Disposable {
  const started = setTimeout(call, milliseconds)
  return { [Symbol.dispose]: () => clearTimeout(started) }
}

/** One subscription to events for all waits of an apply, opened by the first. */
export class Waiter {
  readonly #client: Client
  readonly #listeners = new Map<string, Set<(event: EventMessage | Error) => void>>()
  readonly #closing = new AbortController()
  #subscribed: Promise<void> | undefined
  #reading: Promise<void> | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /** Subscribes ahead of time, so that the first wait need not. */
  open(): void {
    // a failure to subscribe is told to whoever waits
    this.subscribe().catch(() => {})
  }

  /** Listens to the engine's events, those since then (milliseconds) included when nobody has listened so far. */
  subscribe(since = Date.now()): Promise<void> {
    this.#subscribed ??= this.#openStream(since)
    return this.#subscribed
  }

  /** @throws Failure when the condition cannot come true any more, with the reason; `cancelled` when the signal fires. */
  async wait(id: string, { name, service, condition }: WaitFor, signal: AbortSignal): Promise<Outcome> {
    if (signal.aborted) throw cancelled(name, signal)
    await this.subscribe()
    using events = this.listen(id)
    const abort = (): void => events.push(cancelled(name, signal))
    signal.addEventListener('abort', abort, { once: true })
    try {
      // first the subscription, then the question: nothing can happen unseen between the two
      for (;;) {
        const { outcome, young } = await this.#reached(id, { name, service, condition })
        if (outcome && !young) return outcome
        // what has only just been started is looked at once more: it may be about to end
        using _patience = young ? timer(young, () => events.push('looked at again')) : undefined
        for (;;) {
          const event = await events.next()
          if (event instanceof Error) throw event
          if (typeof event === 'string') break
          if (condition !== 'completed' && event.Action === 'health_status: healthy') return 'healthy'
          if (/^(die|destroy|start|oom|health_status)/.test(event.Action)) break
        }
      }
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#reading
  }

  /** What a container is that has been found to serve before. @throws Failure `conflict` when it does not any more. */
  async serving(id: string, name: string): Promise<Outcome> {
    const { outcome } = await this.#reached(id, { name, service: undefined, condition: 'serving' })
    return outcome ?? 'running'
  }

  /** `young`: so many milliseconds it has still to run before that counts. */
  async #reached(id: string, { name, service, condition }: WaitFor): Promise<{ outcome?: Outcome; young?: number }> {
    const { State } = await this.#client.call(containerEndpoints.containerInspect, { params: { id } })
    const verdict = judge(State, condition)
    const hopeless = typeof verdict === 'object' ? verdict : undefined
    const outcome = typeof verdict === 'object' ? undefined : verdict
    if (outcome === 'running' || hopeless?.mayEnd) {
      const left = Math.min(steady, Date.parse(State.StartedAt) + steady - Date.now())
      if (left > 0) return { ...(outcome && { outcome }), young: left }
    }
    if (hopeless) throw new Failure('conflict', hopeless.because(name, service ?? name))
    return outcome ? { outcome } : {}
  }

  async #openStream(begin: number): Promise<void> {
    // Docker sends the headers a moment before it listens: what falls between is asked for again
    const query = { filters: { type: ['container'] }, since: BigInt(begin) * 1_000_000n }
    const stream = await this.#client.stream(systemEndpoints.events, { query }, { signal: this.#closing.signal })
    this.#reading = this.#read(stream)
  }

  async #read(stream: AsyncIterable<EventMessage>): Promise<void> {
    let end = new Failure('unavailable', 'Cannot wait any longer: the engine ended its events')
    try {
      for await (const event of stream) for (const tell of this.#listeners.get(event.Actor.ID) ?? []) tell(event)
    } catch (error) {
      if (this.#closing.signal.aborted) return
      end = new Failure('unavailable', `Cannot wait any longer: ${messageOf(error)}`, { cause: error })
    }
    for (const listeners of this.#listeners.values()) for (const tell of listeners) tell(end)
    this.#subscribed = Promise.reject(end)
    this.#subscribed.catch(() => {})
  }

  /** What happens to a container from now on, once somebody has subscribed. */
  listen(id: string): Listening {
    const queue: Heard[] = []
    let wake: (() => void) | undefined
    const tell = (event: Heard): void => {
      queue.push(event)
      wake?.()
    }
    const listeners = this.#listeners.get(id) ?? new Set()
    this.#listeners.set(id, listeners.add(tell))
    return {
      push: tell,
      next: async () => {
        while (queue.length === 0) await new Promise<void>(resolve => (wake = resolve))
        return queue.shift()!
      },
      [Symbol.dispose]: () => {
        listeners.delete(tell)
        if (listeners.size === 0) this.#listeners.delete(id)
      },
    }
  }
}

function cancelled(name: string, signal: AbortSignal): Failure {
  if (signal.reason instanceof Failure) return signal.reason
  return new Failure('cancelled', `No longer waiting for "${name}"`)
}

/** Why a condition cannot come true any more, in Docker Compose's words. */
export interface Hopeless {
  /** It may end soon, which would be the better reason. */
  readonly mayEnd?: true
  because(name: string, service: string): string
}

/** What the condition has come to; undefined: it may still come true. */
export function judge(state: ContainerState, condition: WaitCondition): Outcome | Hopeless | undefined {
  if (state.Status === 'exited' || state.Status === 'dead') return judgeEnded(state, condition)
  // what its policy has started again has failed to serve
  if (condition === 'serving' && state.Status === 'restarting') return judgeEnded(state, condition)
  if (state.Status === 'removing') return { because: name => `container ${name} is being removed` }
  if (condition === 'completed' || state.Status !== 'running') return undefined
  const health = state.Health?.Status === 'none' ? undefined : state.Health
  if (health === undefined)
    return isUndemanding(condition)
      ? 'running'
      : {
          mayEnd: true,
          because: name => `dependency failed to start: container ${name} has no healthcheck configured`,
        }
  if (health.Status === 'unhealthy')
    return { because: name => `${failed(condition)}container ${name} is unhealthy${lastOutput(health.Log)}` }
  return health.Status === 'healthy' ? 'healthy' : undefined
}

function judgeEnded(state: ContainerState, condition: WaitCondition): Outcome | Hopeless {
  if (condition === 'ready' && state.ExitCode === 0) return 'exited'
  const why = `${state.OOMKilled ? ', out of memory' : ''}${state.Error === '' ? '' : `: ${state.Error}`}`
  if (condition !== 'completed')
    return { because: name => `${failed(condition)}container ${name} exited (${state.ExitCode})${why}` }
  if (state.ExitCode === 0) return 'exited'
  return { because: (_, service) => `service "${service}" didn't complete successfully: exit ${state.ExitCode}${why}` }
}

/** What has no check is taken as it is. */
function isUndemanding(condition: WaitCondition): boolean {
  return condition === 'ready' || condition === 'serving'
}

/** What was only asked for by --wait, or is updated, is nobody's dependency. */
function failed(condition: WaitCondition): string {
  return isUndemanding(condition) ? '' : 'dependency failed to start: '
}

function lastOutput(log: NonNullable<ContainerState['Health']>['Log']): string {
  const last = log?.at(-1)
  if (!last) return ''
  const text = last.Output.trim()
  return `: its check ended with ${last.ExitCode}${text === '' ? '' : `: ${text.slice(-300)}`}`
}
