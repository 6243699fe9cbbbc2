/** A Client that answers from a table of handlers and counts what is in flight. */
import type { Endpoint, Input } from '../../../src/api/endpoint.ts'
import type { EventMessage } from '../../../src/api/events.ts'
import type { Client } from '../../../src/client/client.ts'
import { Failure } from '../../../src/lib/failure.ts'

interface AnyInput {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: unknown
}

export type Handler = (input: AnyInput, signal: AbortSignal | undefined) => unknown

export class FakeClient implements Client {
  readonly host = 'fake://'
  /** "containerStart a", in the order they were made. */
  readonly calls: string[] = []
  inFlight = 0
  most = 0
  readonly #handlers: Readonly<Record<string, Handler>>
  readonly #events: ((event: EventMessage) => void)[] = []

  constructor(handlers: Readonly<Record<string, Handler>>) {
    this.#handlers = handlers
  }

  async call<E extends Endpoint>(
    endpoint: E,
    input: Input<E>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<never> {
    return (await this.#answer(endpoint, input as AnyInput, signal)) as never
  }

  async stream<E extends Endpoint>(
    endpoint: E,
    input: Input<E>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<never> {
    if (endpoint.name === 'events') return this.#eventStream(signal) as never
    return (await this.#answer(endpoint, input as AnyInput, signal)) as never
  }

  /** Tells all who listen. */
  emit(id: string, action: string, attributes: Readonly<Record<string, string>> = {}, time = Date.now()): void {
    for (const tell of this.#events)
      tell({
        Type: 'container',
        Action: action,
        Actor: { ID: id, Attributes: attributes },
        scope: 'local',
        time: Math.floor(time / 1000),
        timeNano: time * 1e6,
      })
  }

  get listeners(): number {
    return this.#events.length
  }

  async hijack<E extends Endpoint>(
    endpoint: E,
    input: Input<E>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<never> {
    const output = await this.#answer(endpoint, input as AnyInput, signal)
    return { tty: false, output, socket: { destroy: () => {} } } as never
  }

  version(): Promise<string> {
    return Promise.resolve('1.51')
  }

  upgrade(path: string): Promise<never> {
    return Promise.reject(new Failure('unsupported', `${path} is not implemented`))
  }

  close(): void {}

  async #answer(endpoint: Endpoint, input: AnyInput, signal: AbortSignal | undefined): Promise<unknown> {
    const handler = this.#handlers[endpoint.name]
    if (!handler) throw new Failure('internal', `No handler for ${endpoint.name}`)
    this.calls.push([endpoint.name, ...Object.values(input.params ?? {})].join(' '))
    this.inFlight++
    this.most = Math.max(this.most, this.inFlight)
    try {
      return await handler(input, signal)
    } finally {
      this.inFlight--
    }
  }

  /** Hears from the moment it is asked for, as an engine's answer does. */
  #eventStream(signal: AbortSignal | undefined): AsyncGenerator<EventMessage> {
    const queue: EventMessage[] = []
    let wake = Promise.withResolvers<void>()
    const tell = (event: EventMessage): void => {
      queue.push(event)
      wake.resolve()
    }
    this.#events.push(tell)
    const ended = (): void => {
      this.#events.splice(this.#events.indexOf(tell), 1)
      wake.resolve()
    }
    signal?.addEventListener('abort', ended, { once: true })
    return (async function* () {
      while (!signal?.aborted) {
        const event = queue.shift()
        if (event) {
          yield event
          continue
        }
        wake = Promise.withResolvers()
        await wake.promise
      }
      throw new Failure('cancelled', 'The request was cancelled')
    })()
  }
}

/** Lets everything that can go on without the outside world go on. */
export function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(() => setImmediate(resolve)))
}

export function inspect(id: string, state: object, config: object = {}): object {
  const rest = { Running: false, Restarting: false, OOMKilled: false, ExitCode: 0, Error: '' }
  return { Id: id, State: { Status: 'running', ...rest, ...state }, HostConfig: {}, ...config }
}
