/** What a build tells → BuildKit's status, kept from the first word on for whoever asks for it. */
import type { statusResponse, vertex } from '../../api/buildkit/control.ts'
import type { From } from '../../api/buildkit/message.ts'
import { timestampOf } from '../../api/buildkit/operations.ts'
import { stableHash } from '../../lib/stable-json.ts'
import type { BuildEvent } from '../build/events.ts'

type Status = From<typeof statusResponse>
type Vertex = From<typeof vertex>

/** Of the output of one step, in bytes; the rest is not kept, since a command may write for hours. */
export const mostOutput = 2 * 1024 * 1024

export class StatusLog {
  readonly #told: Status[] = []
  readonly #steps = new Map<string, Vertex>()
  readonly #output = new Map<string, number>()
  /** Parts of steps → when they began. */
  readonly #parts = new Map<string, number>()
  readonly #dockerfile: () => { readonly name: string; readonly text: string } | undefined
  readonly #ref: string
  #waiting: (() => void)[] = []
  #ended = false

  /** `ref`: the name of the build. `dockerfile`: what warnings are about, once it is known. */
  constructor(
    ref: string,
    dockerfile: () => { readonly name: string; readonly text: string } | undefined = () => undefined,
  ) {
    this.#ref = ref
    this.#dockerfile = dockerfile
  }

  add(event: BuildEvent): void {
    const status = this.#statusOf('id' in event ? { ...event, id: this.#digest(event.id) } : event)
    if (status === undefined) return
    this.#told.push(status)
    this.#wake()
  }

  /** A warning of a frontend on the client's side. */
  warn(warning: NonNullable<Status['warnings']>[number]): void {
    this.#told.push({ warnings: [warning] })
    this.#wake()
  }

  /** The step that failed, if one did. */
  get failed(): string | undefined {
    return [...this.#steps.values()].find(({ error }) => error)?.digest
  }

  /** Of steps, and of what was warned of. */
  get counts(): Record<'totalSteps' | 'completedSteps' | 'cachedSteps' | 'warnings', number> {
    const steps = [...this.#steps.values()]
    return {
      totalSteps: steps.length,
      completedSteps: steps.filter(({ completed }) => completed !== undefined).length,
      cachedSteps: steps.filter(({ cached }) => cached).length,
      warnings: this.#told.reduce((sum, { warnings }) => sum + (warnings?.length ?? 0), 0),
    }
  }

  /** All of it so far. */
  whole(): Status {
    return together(this.#told)
  }

  /** Readers end when they have all. */
  end(): void {
    this.#ended = true
    this.#wake()
  }

  /** All of it from the beginning; what has come together is one message. */
  async *read(signal: AbortSignal): AsyncGenerator<Status> {
    const left = () => this.#wake()
    signal.addEventListener('abort', left)
    try {
      for (let at = 0; !signal.aborted; ) {
        if (at < this.#told.length) {
          const next = this.#told.slice(at)
          at = this.#told.length
          yield together(next)
        } else if (this.#ended) return
        else await new Promise<void>(resolve => this.#waiting.push(resolve))
      }
    } finally {
      signal.removeEventListener('abort', left)
    }
  }

  /** A client shows the steps of several builds at once, and takes those of one digest for the same. */
  #digest(id: string): string {
    return `sha256:${stableHash([this.#ref, id])}`
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  #statusOf(event: BuildEvent): Status | undefined {
    switch (event.kind) {
      case 'step':
        return this.#step(event.id, {
          digest: event.id,
          name: event.name,
          inputs: event.inputs.map(id => this.#digest(id)),
        })
      case 'started':
        return this.#step(event.id, { started: timestampOf(event.at) })
      case 'cached':
        return this.#step(event.id, {
          started: this.#steps.get(event.id)?.started ?? timestampOf(event.at),
          completed: timestampOf(event.at),
          cached: true,
        })
      case 'missed':
        return this.#step(event.id, { missed: event.reason })
      case 'completed':
        // what was taken from the cache has ended with that: clients would print it again
        if (this.#steps.get(event.id)?.cached && event.error === undefined) return undefined
        return this.#step(event.id, { completed: timestampOf(event.at), error: event.error ?? '' })
      case 'output':
        return this.#log(event)
      case 'progress':
        return this.#progress(event)
      case 'warning':
        return this.#warning(event)
      default:
        return undefined
    }
  }

  /** A step as it is now, whole: that is how clients expect it. */
  #step(id: string, change: Vertex): Status {
    const step = { ...this.#steps.get(id), digest: id, ...change }
    this.#steps.set(id, step)
    return { vertexes: [step] }
  }

  #log({ id, stream, data, at }: BuildEvent & { kind: 'output' }): Status | undefined {
    const before = this.#output.get(id) ?? 0
    this.#output.set(id, before + data.length)
    if (before > mostOutput) return undefined
    const room = mostOutput - before
    const kept =
      data.length <= room
        ? data
        : Buffer.concat([
            data.subarray(0, room),
            Buffer.from(`\n[output clipped, log limit ${mostOutput / 2 ** 20}MiB reached]\n`),
          ])
    return { logs: [{ vertex: id, stream: stream === 'stdout' ? 1 : 2, data: kept, timestamp: timestampOf(at) }] }
  }

  #progress({ id, part, current, total, at, done }: BuildEvent & { kind: 'progress' }): Status {
    const key = `${id} ${part}`
    const began = this.#parts.get(key) ?? at
    this.#parts.set(key, began)
    return {
      statuses: [
        {
          id: part,
          vertex: id,
          name: part,
          current,
          total,
          timestamp: timestampOf(at),
          started: timestampOf(began),
          completed: done ? timestampOf(at) : undefined,
        },
      ],
    }
  }

  #warning({ warning, dockerfile }: BuildEvent & { kind: 'warning' }): Status {
    const { rule, message, description, url, lines } = warning
    const text = this.#dockerfile()?.text ?? ''
    const definition = [...this.#steps.values()].find(({ name }) =>
      name?.startsWith('[internal] load build definition'),
    )
    return {
      warnings: [
        {
          vertex: definition?.digest ?? [...this.#steps.keys()][0] ?? '',
          level: 1,
          short: Buffer.from(`${rule}: ${message} (line ${lines.first})`),
          detail: [Buffer.from(description)],
          url,
          info: { filename: dockerfile, data: Buffer.from(text), language: 'Dockerfile' },
          ranges: [{ start: { line: lines.first }, end: { line: lines.last } }],
        },
      ],
    }
  }
}

function together(parts: readonly Status[]): Status {
  if (parts.length === 1) return parts[0]!
  return {
    vertexes: parts.flatMap(({ vertexes }) => vertexes ?? []),
    statuses: parts.flatMap(({ statuses }) => statuses ?? []),
    logs: parts.flatMap(({ logs }) => logs ?? []),
    warnings: parts.flatMap(({ warnings }) => warnings ?? []),
  }
}
