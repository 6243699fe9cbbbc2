/** ApplyEvents → what has become of each network, volume, image and container: several operations are one line. */
import type { ApplyEvent } from '../../apply/events.ts'
import { formatBytes } from '../../lib/units.ts'
import { type NodeId, type Operation, resourceKind } from '../../plan/operation.ts'
import type { Plan } from '../../plan/plan.ts'

export interface Resource {
  /** "container shop-web-1". */
  readonly label: string
  /** What is left to do. */
  readonly open: Set<NodeId>
  readonly kinds: Set<Operation['kind']>
  state: 'waiting' | 'working' | 'done' | 'failed' | 'skipped'
  /** "Starting", then "started"; with how far a pull is. */
  text: string
  error: Error | undefined
  /** When its first operation began and its last ended, in ms of the events. */
  began: number | undefined
  ended: number | undefined
}

export class Resources {
  readonly #byNode = new Map<NodeId, Resource>()
  readonly #all = new Map<string, Resource>()

  constructor(plan: Plan) {
    for (const { id, operation } of plan.nodes) {
      const label = `${resourceKind(operation)} ${operation.name}`
      const resource = this.#all.get(label) ?? newResource(label)
      resource.open.add(id)
      resource.kinds.add(operation.kind)
      this.#all.set(label, resource)
      this.#byNode.set(id, resource)
    }
  }

  /** In the order of the plan. */
  get all(): readonly Resource[] {
    return [...this.#all.values()]
  }

  /** Takes an event in; returns its resource, and whether that has just come to its end. */
  take(event: ApplyEvent, now: number): { readonly resource: Resource; readonly finished: boolean } {
    const resource = this.#byNode.get(event.node.id)!
    const { operation } = event.node
    switch (event.kind) {
      case 'started':
        resource.began ??= now
        if (resource.state === 'waiting') resource.state = 'working'
        if (resource.state === 'working') resource.text = doing(operation)
        return { resource, finished: false }
      case 'progress':
        if (resource.state === 'working') resource.text = `${doing(operation)} ${howFar(event)}`.trimEnd()
        return { resource, finished: false }
      case 'warning':
        return { resource, finished: false }
      case 'done':
      case 'failed':
      case 'skipped':
        return { resource, finished: settle(resource, event, now) }
      default:
        return event satisfies never
    }
  }
}

/** Whether it has ended: all done, or the first failure, which is the whole of its story. */
function settle(resource: Resource, event: ApplyEvent & { kind: 'done' | 'failed' | 'skipped' }, now: number): boolean {
  resource.open.delete(event.node.id)
  const over = resource.state === 'failed' || resource.state === 'skipped'
  if (event.kind === 'failed' && !over) {
    resource.state = 'failed'
    resource.error = event.error
    resource.text = 'failed'
  } else if (event.kind === 'skipped' && !over) {
    resource.state = 'skipped'
    resource.text = event.because ? `skipped: "${event.because.operation.name}" failed` : 'skipped'
  } else if (event.kind === 'done' && resource.open.size === 0 && !over) {
    resource.state = 'done'
    resource.text = result(resource.kinds, event.node.operation)
  } else return false
  resource.ended = now
  return true
}

function newResource(label: string): Resource {
  return {
    label,
    open: new Set(),
    kinds: new Set(),
    state: 'waiting',
    text: 'waiting',
    error: undefined,
    began: undefined,
    ended: undefined,
  }
}

/** An operation while it runs and when it is done. */
const words: Readonly<Record<Operation['kind'], readonly [doing: string, done: string]>> = {
  'create-network': ['creating', 'created'],
  'remove-network': ['removing', 'removed'],
  'create-volume': ['creating', 'created'],
  'remove-volume': ['removing', 'removed'],
  'pull-image': ['pulling', 'pulled'],
  'remove-image': ['removing', 'removed'],
  'create-container': ['creating', 'created'],
  'upload-files': ['adding files', 'created'],
  'start-container': ['starting', 'started'],
  'unpause-container': ['unpausing', 'running'],
  'pause-container': ['pausing', 'paused'],
  'wait-container': ['waiting', 'ready'],
  'stop-container': ['stopping', 'stopped'],
  'restart-container': ['restarting', 'restarted'],
  'kill-container': ['killing', 'killed'],
  'rename-container': ['renaming', 'renamed'],
  'remove-container': ['removing', 'removed'],
}

function doing(operation: Operation): string {
  return operation.kind === 'wait-container' ? `waiting until ${operation.condition}` : words[operation.kind][0]
}

function result(kinds: ReadonlySet<Operation['kind']>, last: Operation): string {
  if (kinds.has('create-container') && kinds.has('remove-container')) return 'recreated'
  if (last.kind === 'wait-container') return last.condition === 'ready' ? 'started' : last.condition
  if (kinds.has('start-container')) return 'started'
  return words[last.kind][1]
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
