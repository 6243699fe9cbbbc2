/** Walks a plan: a node starts when those before it are done, never more than `parallel` calls at once. */
import { availableParallelism } from 'node:os'
import PQueue from 'p-queue'
import { debug } from '../lib/debug.ts'
import { Failure } from '../lib/failure.ts'
import type { NodeId, PlannedOperation } from '../plan/operation.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import type { ApplyEvent, Outcome } from './events.ts'
import type { Performer } from './performer.ts'
import { type FailedNode, PlanFailure } from './plan-failure.ts'
import { type Roll, Rolls } from './rollouts.ts'

export interface RunOptions<O extends PlannedOperation = PlannedOperation> {
  /** API calls in flight at most, from 1 to 999; default 4 per core. */
  readonly parallel?: number
  /** Nothing new is started, pulls, builds and waits end; what else is under way is let finish. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds that waiting may take. */
  readonly waitTimeout?: number
  /** Whether the others go on when this one fails, which is told in the end; none: no. */
  goesOn?(node: PlanNode<O>): boolean
  onEvent?(event: ApplyEvent<O>): void
  /** An update has failed by this container, which is there until the result is; must not throw. */
  beforeRecovery?(failed: PlanNode<O>, container: string): Promise<void>
}

interface Deadline {
  readonly timer: NodeJS.Timeout
  readonly isOver: boolean
}

const log = debug('apply')
/** An engine's message buffers lose messages beyond; containers then fail to start. */
const most = 1000

/** @throws PlanFailure of all that failed; Failure `cancelled` when the signal fired, `invalid` for a bad `parallel`. */
export async function run<O extends PlannedOperation>(
  plan: Plan<O>,
  performer: Performer<O>,
  options: RunOptions<O> = {},
): Promise<void> {
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
  readonly #done = new Set<NodeId>()
  readonly #rolls: Rolls
  /** Nodes that follow the failure of an update: they are run whatever else fails. */
  readonly #following = new Set<NodeId>()
  readonly #failures: FailedNode[] = []
  readonly #running = new Set<Promise<void>>()

  constructor(plan: Plan, performer: Performer, options: RunOptions & { readonly parallel: number }) {
    this.#plan = plan
    this.#performer = performer
    this.#options = options
    this.#queue = new PQueue({ concurrency: options.parallel })
    this.#rolls = new Rolls(plan)
    for (const node of plan.nodes) this.#enlist(node)
  }

  #enlist(node: PlanNode): void {
    const missing = node.after.filter(id => !this.#done.has(id))
    this.#missing.set(node.id, missing.length)
    for (const needed of missing) this.#dependents.set(needed, [...(this.#dependents.get(needed) ?? []), node])
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
    const roll = this.#rolls.of(node)
    if (this.#isOff(node, roll)) return
    if (roll?.isSkipped(node)) {
      this.#begun.add(node.id)
      this.#tell({ kind: 'skipped', node, because: undefined })
      this.#goOn(node)
      return
    }
    const work = async (): Promise<void> => {
      // it may have waited for its turn while something failed
      if (!this.#isOff(node, roll)) await this.#execute(node, roll)
    }
    // a wait holds no place in the queue: what it waits for may need that place
    const running = (this.#plan.words.waits(node.operation) ? work() : this.#queue.add(work)).finally(() => {
      this.#running.delete(running)
      roll?.running.delete(running)
    })
    this.#running.add(running)
    roll?.running.add(running)
  }

  #isOff(node: PlanNode, roll: Roll | undefined): boolean {
    if (roll?.isOver) return true
    return this.#following.has(node.id) ? this.#options.signal?.aborted === true : this.#stop.signal.aborted
  }

  /** What ends a node while it is under way. */
  #signalOf(node: PlanNode, roll: Roll | undefined): AbortSignal {
    const { signal } = this.#options
    const own = this.#following.has(node.id) ? signal : this.#stop.signal
    return AbortSignal.any([own, roll?.control.signal].filter(each => each !== undefined))
  }

  async #execute(node: PlanNode, roll: Roll | undefined): Promise<void> {
    const { operation } = node
    const begin = Date.now()
    this.#begun.add(node.id)
    this.#tell({ kind: 'started', node })
    log('#%d %s %s', node.id, operation.kind, operation.name)
    let deadline: Deadline | undefined
    let outcome: Outcome | undefined
    const ends = this.#signalOf(node, roll)
    try {
      const signal = this.#plan.words.waits(node.operation)
        ? this.#waitSignal(operation, ends, begun => (deadline = begun))
        : ends
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
      const failure = isBrokenOff(error, ends)
        ? new Failure('cancelled', 'Interrupted', { cause: error })
        : this.#plan.words.failure(operation, error)
      // what was broken off only because something else failed, or ^C, has not failed itself
      if (failure.kind === 'cancelled' && (this.#stop.signal.aborted || roll?.isOver)) {
        this.#tell({ kind: 'skipped', node, because: this.#failures[0]?.node })
        return
      }
      const verdict = roll?.judge(node) ?? 'fatal'
      if (roll && (verdict === 'tolerated' || verdict === 'skipped')) {
        const text = `${failure.message}; the update of "${roll.rollout.service}" goes on`
        this.#tell({ kind: 'warning', node, text })
        if (verdict === 'skipped') {
          this.#tell({ kind: 'skipped', node, because: undefined })
          this.#goOn(node)
          return
        }
        outcome = 'unready'
      } else {
        const told = roll && verdict === 'recover' ? updateFailure(failure, roll) : failure
        this.#failures.push({ node, failure: told, late: deadline?.isOver === true })
        this.#tell({ kind: 'failed', node, error: told, milliseconds: Date.now() - begin })
        if (roll && verdict === 'recover') this.#recover(roll, node)
        else if (!this.#options.goesOn?.(node)) this.#stop.abort()
        return
      }
    } finally {
      clearTimeout(deadline?.timer)
    }
    this.#done.add(node.id)
    this.#tell({ kind: 'done', node, outcome, milliseconds: Date.now() - begin })
    this.#goOn(node)
  }

  #goOn(node: PlanNode): void {
    for (const dependent of this.#dependents.get(node.id) ?? []) {
      const left = this.#missing.get(dependent.id)! - 1
      this.#missing.set(dependent.id, left)
      if (left === 0) this.#launch(dependent)
    }
  }

  /** Ends what is under way of an update, then does what follows, beside all the rest. */
  #recover(roll: Roll, failed: PlanNode): void {
    roll.control.abort()
    const work = async (): Promise<void> => {
      await Promise.allSettled(roll.running)
      const ref = roll.containerOf(failed)
      const id = typeof ref === 'object' ? this.#results.get(ref.node) : ref
      if (id !== undefined) await this.#options.beforeRecovery?.(failed, id)
      const next = this.#rolls.recover(roll, id => this.#done.has(id))
      for (const node of next) {
        this.#following.add(node.id)
        this.#enlist(node)
      }
      for (const node of next) if (this.#missing.get(node.id) === 0) this.#launch(node)
    }
    const running = work().finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Ends with the walk or, with a reason of its own, when waiting takes too long. */
  #waitSignal(operation: PlannedOperation, ends: AbortSignal, keep: (deadline: Deadline) => void): AbortSignal {
    const { waitTimeout } = this.#options
    const missed = waitTimeout === undefined ? undefined : this.#plan.words.late(operation)
    if (waitTimeout === undefined || missed === undefined) return ends
    const late = new AbortController()
    const deadline = {
      isOver: false,
      timer: setTimeout(() => {
        deadline.isOver = true
        late.abort(new Failure('unavailable', `${missed} after ${waitTimeout / 1000} s`))
      }, waitTimeout),
    }
    keep(deadline)
    return AbortSignal.any([ends, late.signal])
  }

  #report(signal: AbortSignal | undefined): void {
    const failed = new Map(this.#failures.map(({ node }) => [node.id, node]))
    const causes = new Map<NodeId, PlanNode | undefined>()
    const left: PlanNode[] = []
    for (const node of this.#plan.nodes) {
      if (this.#begun.has(node.id)) continue
      const because = node.after.map(id => failed.get(id) ?? causes.get(id)).find(cause => cause !== undefined)
      causes.set(node.id, because)
      if (because) left.push(node)
      this.#tell({ kind: 'skipped', node, because })
    }
    const [first, ...others] = this.#failures
    if (first) throw new PlanFailure([first, ...others], left)
    if (signal?.aborted) throw new Failure('cancelled', 'Interrupted', { cause: signal.reason })
  }

  #tell(event: ApplyEvent): void {
    this.#options.onEvent?.(event)
  }
}

/** Whether a wait has ended by its signal alone, in whatever way it says so. */
function isBrokenOff(error: unknown, { aborted }: AbortSignal): boolean {
  return aborted && error instanceof Error && error.name === 'AbortError'
}

/** A failure of the new version, and what follows it. */
function updateFailure(failure: Failure, { rollout: { service, action } }: Roll): Failure {
  const next = action === 'rollback' ? 'it goes back to what it was' : 'the update is paused'
  const hint = action === 'rollback' ? undefined : 'Run up again to go on with it'
  return new Failure(failure.kind, `Cannot update "${service}": ${failure.message}; ${next}`, {
    cause: failure.cause,
    hint: failure.hint ?? hint,
    ...(failure.exitCode === undefined ? {} : { exitCode: failure.exitCode }),
  })
}
