/** Walks a plan: a node starts when those before it are done, never more than `parallel` calls at once. */
import { availableParallelism } from 'node:os'
import PQueue from 'p-queue'
import { debug } from '../lib/debug.ts'
import { Failure, messageOf } from '../lib/failure.ts'
import type { NodeId, Operation } from '../plan/operation.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import type { ApplyEvent, Outcome } from './events.ts'
import type { Performer } from './performer.ts'
import { type FailedNode, PlanFailure } from './plan-failure.ts'

export interface RunOptions {
  /** API calls in flight at most, from 1 to 999; default 4 per core. */
  readonly parallel?: number
  /** Nothing new is started, pulls, builds and waits end; what else is under way is let finish. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds that waiting may take. */
  readonly waitTimeout?: number
  readonly onEvent?: (event: ApplyEvent) => void
}

const log = debug('apply')
/** An engine's message buffers lose messages beyond; containers then fail to start. */
const most = 1000

/** @throws PlanFailure of all that failed; Failure `cancelled` when the signal fired, `invalid` for a bad `parallel`. */
export async function run(plan: Plan, performer: Performer, options: RunOptions = {}): Promise<void> {
  const parallel = options.parallel ?? Math.min(4 * availableParallelism(), most - 1)
  if (!Number.isInteger(parallel) || parallel < 1 || parallel >= most)
    throw new Failure('invalid', `Cannot run ${parallel} operations at once: it must be a number from 1 to ${most - 1}`)
  if (plan.empty) return
  await new Walk(plan, performer, { ...options, parallel }).done()
}

class Walk {
  readonly #plan: Plan
  readonly #performer: Performer
  readonly #options: RunOptions
  readonly #queue: PQueue
  /** Ends pulls and waits: the caller's signal, or the first failure. */
  readonly #stop = new AbortController()
  readonly #results = new Map<NodeId, string>()
  /** How many nodes each one still waits for. */
  readonly #missing = new Map<NodeId, number>()
  readonly #dependents = new Map<NodeId, PlanNode[]>()
  readonly #begun = new Set<NodeId>()
  readonly #failures: FailedNode[] = []
  readonly #running = new Set<Promise<void>>()

  constructor(plan: Plan, performer: Performer, options: RunOptions & { readonly parallel: number }) {
    this.#plan = plan
    this.#performer = performer
    this.#options = options
    this.#queue = new PQueue({ concurrency: options.parallel })
    for (const node of plan.nodes) {
      this.#missing.set(node.id, node.after.length)
      for (const needed of node.after) this.#dependents.set(needed, [...(this.#dependents.get(needed) ?? []), node])
    }
  }

  async done(): Promise<void> {
    const { signal } = this.#options
    const stop = (): void => this.#stop.abort(signal?.reason)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
    try {
      if (!this.#stop.signal.aborted) this.#performer.begin?.(this.#plan)
      for (const node of this.#plan.nodes) if (node.after.length === 0) this.#launch(node)
      // what ends may launch more
      while (this.#running.size > 0) await Promise.all(this.#running)
    } finally {
      signal?.removeEventListener('abort', stop)
      await this.#performer.end?.()
    }
    this.#report(signal)
  }

  #launch(node: PlanNode): void {
    if (this.#stop.signal.aborted) return
    const work = async (): Promise<void> => {
      // it may have waited for its turn while something failed
      if (!this.#stop.signal.aborted) await this.#execute(node)
    }
    // a wait holds no place in the queue: what it waits for may need that place
    const running = (isWait(node) ? work() : this.#queue.add(work)).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #execute(node: PlanNode): Promise<void> {
    const { operation } = node
    const begin = Date.now()
    this.#begun.add(node.id)
    this.#tell({ kind: 'started', node })
    log('#%d %s %s', node.id, operation.kind, operation.name)
    let deadline: NodeJS.Timeout | undefined
    let outcome: Outcome | undefined
    try {
      const signal = isWait(node) ? this.#waitSignal(operation, timer => (deadline = timer)) : this.#stop.signal
      const performed = await this.#performer.perform(operation, {
        results: this.#results,
        signal,
        onProgress: (text, current, total) =>
          this.#tell({ kind: 'progress', node, text, ...(total ? { current: current ?? 0, total } : {}) }),
        onWarning: text => this.#tell({ kind: 'warning', node, text }),
        onOutput: text => this.#tell({ kind: 'output', node, text }),
        onBuild: event => this.#tell({ kind: 'build', node, event }),
      })
      if (performed?.id !== undefined) this.#results.set(node.id, performed.id)
      outcome = performed?.outcome
    } catch (error) {
      const failure = failureOf(operation, error)
      // what was broken off only because something else failed, or ^C, has not failed itself
      if (this.#stop.signal.aborted && failure.kind === 'cancelled') {
        this.#tell({ kind: 'skipped', node, because: this.#failures[0]?.node })
        return
      }
      this.#failures.push({ node, failure })
      this.#tell({ kind: 'failed', node, error: failure, milliseconds: Date.now() - begin })
      this.#stop.abort()
      return
    } finally {
      clearTimeout(deadline)
    }
    this.#tell({ kind: 'done', node, outcome, milliseconds: Date.now() - begin })
    for (const dependent of this.#dependents.get(node.id) ?? []) {
      const left = this.#missing.get(dependent.id)! - 1
      this.#missing.set(dependent.id, left)
      if (left === 0) this.#launch(dependent)
    }
  }

  /** Ends with the walk or, with a reason of its own, when waiting takes too long. */
  #waitSignal(operation: Operation, keep: (timer: NodeJS.Timeout) => void): AbortSignal {
    const { waitTimeout } = this.#options
    if (waitTimeout === undefined || operation.kind !== 'wait-container') return this.#stop.signal
    const late = new AbortController()
    const { name, condition } = operation
    keep(
      setTimeout(() => {
        late.abort(new Failure('unavailable', `container ${name} is not ${condition} after ${waitTimeout / 1000} s`))
      }, waitTimeout),
    )
    return AbortSignal.any([this.#stop.signal, late.signal])
  }

  #report(signal: AbortSignal | undefined): void {
    const failed = new Map(this.#failures.map(({ node }) => [node.id, node]))
    const causes = new Map<NodeId, PlanNode | undefined>()
    for (const node of this.#plan.nodes) {
      if (this.#begun.has(node.id)) continue
      const because = node.after.map(id => failed.get(id) ?? causes.get(id)).find(cause => cause !== undefined)
      causes.set(node.id, because)
      this.#tell({ kind: 'skipped', node, because })
    }
    const [first, ...others] = this.#failures
    if (first) throw new PlanFailure([first, ...others])
    if (signal?.aborted) throw new Failure('cancelled', 'Interrupted', { cause: signal.reason })
  }

  #tell(event: ApplyEvent): void {
    this.#options.onEvent?.(event)
  }
}

function isWait(node: PlanNode): boolean {
  return node.operation.kind === 'wait-container'
}

const verbs: Readonly<Record<Operation['kind'], string>> = {
  'create-network': 'create network',
  'remove-network': 'remove network',
  'create-volume': 'create volume',
  'remove-volume': 'remove volume',
  'pull-image': 'pull image',
  'build-image': 'build image',
  'remove-image': 'remove image',
  'create-container': 'create container',
  'upload-files': 'put configs and secrets into container',
  'start-container': 'start container',
  'unpause-container': 'unpause container',
  'pause-container': 'pause container',
  'wait-container': 'go on',
  'stop-container': 'stop container',
  'restart-container': 'restart container',
  'kill-container': 'kill container',
  'rename-container': 'rename container',
  'run-hook': 'run hook in container',
  'connect-network': 'connect container',
  'disconnect-network': 'disconnect container',
  'remove-container': 'remove container',
}

/** What was to be done, and the engine's words why it was not. */
function failureOf(operation: Operation, error: unknown): Failure {
  const text = messageOf(error)
  const given = error instanceof Failure ? error : undefined
  // conditions and hooks tell in Compose's words, and our own engine's sentences may say all of it already
  const whole =
    operation.kind === 'wait-container' ||
    (operation.kind === 'run-hook' && given?.kind === 'conflict') ||
    (text.startsWith('Cannot ') && text.includes(`"${operation.name}"`))
  const message = whole ? text : `Cannot ${verbs[operation.kind]} "${operation.name}": ${text}`
  return new Failure(given?.kind ?? 'internal', message, {
    cause: error,
    ...(given?.hint === undefined ? {} : { hint: given.hint }),
    ...(given?.exitCode === undefined ? {} : { exitCode: given.exitCode }),
  })
}
