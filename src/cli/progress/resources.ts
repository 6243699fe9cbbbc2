/** ApplyEvents → what has become of each network, volume, image and container: several operations are one line. */
import type { ApplyEvent } from '../../apply/events.ts'
import { formatBytes } from '../../lib/units.ts'
import type { NodeId, PlannedOperation, Vocabulary } from '../../plan/operation.ts'
import type { Plan, PlanNode } from '../../plan/plan.ts'
import { keptWord, outcomeWord } from './words.ts'

export interface Resource {
  /** "Container shop-web-1". */
  readonly label: string
  /** What is left to do. */
  readonly open: Set<NodeId>
  readonly kinds: Set<string>
  state: 'waiting' | 'working' | 'done' | 'failed' | 'left'
  /** "Starting", then "Started"; with how far a pull is. */
  text: string
  error: Error | undefined
  /** When its first operation began and its last ended, in ms of the events. */
  began: number | undefined
  ended: number | undefined
}

export interface Taken {
  readonly resource: Resource
  /** What is to be said of it now, where one line is written after the other. */
  readonly line: string | undefined
  /** Whether it has just come to its end. */
  readonly finished: boolean
}

export class Resources {
  readonly #byNode = new Map<NodeId, Resource>()
  readonly #all = new Map<string, Resource>()

  readonly #words: Vocabulary<PlannedOperation>

  constructor(plan: Plan) {
    this.#words = plan.words
    for (const { name, state } of plan.kept) this.#resource(`${plan.words.kept} ${name}`, keptWord(state))
    for (const node of plan.nodes) this.#enlist(node)
  }

  #enlist({ id, operation }: PlanNode): Resource {
    const resource = this.#resource(this.#labelOf(operation), '')
    resource.state = 'waiting'
    resource.open.add(id)
    resource.kinds.add(operation.kind)
    this.#byNode.set(id, resource)
    return resource
  }

  /** In the order of the plan. */
  get all(): readonly Resource[] {
    return [...this.#all.values()]
  }

  take(event: ApplyEvent, now: number): Taken {
    // a failed update makes a plan go on
    const resource = this.#byNode.get(event.node.id) ?? this.#enlist(event.node)
    const { operation } = event.node
    const { doing, done } = this.#words.told(operation, resource.kinds)
    const took = (line?: string, finished = false): Taken => ({ resource, line, finished })
    const working = resource.state === 'waiting' || resource.state === 'working'
    switch (event.kind) {
      case 'started':
        resource.began ??= now
        if (!working) return took()
        resource.state = 'working'
        if (doing !== undefined) resource.text = this.#words.waitText(operation) ?? doing
        return took(doing)
      case 'progress':
        if (working) resource.text = `${doing ?? ''} ${howFar(event)}`.trim()
        return took()
      case 'warning':
      case 'build':
      case 'output':
        return took()
      case 'done': {
        resource.open.delete(event.node.id)
        const word = event.outcome === undefined ? done : outcomeWord(event.outcome)
        if (!working) return took()
        if (word !== undefined) resource.text = word
        if (resource.open.size === 0) end(resource, 'done', now)
        return took(word, resource.open.size === 0)
      }
      case 'failed':
        resource.open.delete(event.node.id)
        if (!working) return took()
        resource.error = event.error
        resource.text = 'Error'
        end(resource, 'failed', now)
        return took('Error', true)
      case 'skipped': {
        // it stays what it has become so far, or was before
        resource.open.delete(event.node.id)
        if (!working) return took()
        // a build that was broken off has become nothing
        if (resource.state === 'working' && operation.kind === 'build-image') resource.text = 'Canceled'
        end(resource, 'left', now)
        return took(undefined, true)
      }
      default:
        return event satisfies never
    }
  }

  #labelOf(operation: PlannedOperation): string {
    const kind = this.#words.resource(operation)
    return `${kind[0]!.toUpperCase()}${kind.slice(1)} ${operation.name}`
  }

  #resource(label: string, text: string): Resource {
    const found = this.#all.get(label)
    if (found) return found
    const resource: Resource = {
      label,
      open: new Set(),
      kinds: new Set(),
      state: text === '' ? 'waiting' : 'done',
      text,
      error: undefined,
      began: undefined,
      ended: undefined,
    }
    this.#all.set(label, resource)
    return resource
  }
}

function end(resource: Resource, state: Resource['state'], now: number): void {
  resource.state = state
  resource.ended = now
}

function howFar(event: ApplyEvent & { kind: 'progress' }): string {
  if (event.current === undefined || !event.total) return event.text
  const percent = Math.min(100, Math.floor((event.current / event.total) * 100))
  return `${percent} % of ${formatBytes(event.total)}`
}

/** "0.4s". */
export function took(resource: Resource): string {
  if (resource.began === undefined || resource.ended === undefined) return ''
  return `${((resource.ended - resource.began) / 1000).toFixed(1)}s`
}
