/** Waits until a container is healthy, completed or ready: by the engine's events, never by asking again and again. */
import type { ContainerState } from '../api/containers.ts'
import { containerEndpoints } from '../api/containers.ts'
import type { EventMessage } from '../api/events.ts'
import { systemEndpoints } from '../api/system.ts'
import type { Client } from '../client/client.ts'
import { Failure, messageOf } from '../lib/failure.ts'
import type { WaitCondition } from '../plan/operation.ts'

export interface WaitFor {
  readonly name: string
  readonly condition: WaitCondition
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
    this.#subscribe().catch(() => {})
  }

  /** @throws Failure when the condition cannot come true any more, with the reason; `cancelled` when the signal fires. */
  async wait(id: string, { name, condition }: WaitFor, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelled(name, signal)
    await this.#subscribe()
    const events = this.#listen(id)
    const abort = (): void => events.push(cancelled(name, signal))
    signal.addEventListener('abort', abort, { once: true })
    try {
      // first the subscription, then the question: nothing can happen unseen between the two
      while (!(await this.#reached(id, { name, condition }))) {
        for (;;) {
          const event = await events.next()
          if (event instanceof Error) throw event
          if (condition !== 'completed' && event.Action === 'health_status: healthy') return
          if (/^(die|destroy|start|oom|health_status)/.test(event.Action)) break
        }
      }
    } finally {
      signal.removeEventListener('abort', abort)
      events.close()
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#reading
  }

  async #reached(id: string, { name, condition }: WaitFor): Promise<boolean> {
    const container = await this.#client.call(containerEndpoints.containerInspect, { params: { id } })
    const restarts = !['', 'no', undefined].includes(container.HostConfig.RestartPolicy?.Name)
    const verdict = judge(container.State, { condition, restarts })
    if (typeof verdict === 'boolean') return verdict
    throw new Failure('conflict', `"${name}" ${verdict}`)
  }

  #subscribe(): Promise<void> {
    this.#subscribed ??= this.#openStream()
    return this.#subscribed
  }

  async #openStream(): Promise<void> {
    // Docker sends the headers a moment before it listens: what falls between is asked for again
    const since = BigInt(Date.now()) * 1_000_000n
    const query = { filters: { type: ['container'] }, since }
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

  #listen(id: string): { push(event: Error): void; next(): Promise<EventMessage | Error>; close(): void } {
    const queue: (EventMessage | Error)[] = []
    let wake: (() => void) | undefined
    const tell = (event: EventMessage | Error): void => {
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
      close: () => {
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

export interface JudgeOptions {
  readonly condition: WaitCondition
  /** Whether the engine starts it again when it ends. */
  readonly restarts: boolean
}

/** Whether the condition holds; false: it may still; a text: it cannot any more, and why. */
export function judge(state: ContainerState, { condition, restarts }: JudgeOptions): boolean | string {
  const health = state.Health?.Status === 'none' ? undefined : state.Health
  if (state.Status === 'exited' || state.Status === 'dead') {
    if (state.ExitCode === 0 && (condition === 'completed' || (condition === 'ready' && !restarts))) return true
    return endReason(state)
  }
  if (state.Status === 'removing') return 'is being removed'
  if (condition === 'completed' || state.Status !== 'running') return false
  if (health === undefined) return condition === 'ready' || 'has no healthcheck'
  if (health.Status === 'unhealthy') return `is unhealthy${lastOutput(health.Log)}`
  return health.Status === 'healthy'
}

function endReason(state: ContainerState): string {
  const killed = state.OOMKilled ? ' (out of memory)' : ''
  const error = state.Error === '' ? '' : `: ${state.Error}`
  return `exited with code ${state.ExitCode}${killed}${error}`
}

function lastOutput(log: NonNullable<ContainerState['Health']>['Log']): string {
  const last = log?.at(-1)
  if (!last) return ''
  const text = last.Output.trim()
  return `: its check ended with ${last.ExitCode}${text === '' ? '' : `: ${text.slice(-300)}`}`
}
