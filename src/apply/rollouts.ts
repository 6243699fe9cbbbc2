/** Updates while they are carried out: what a failure means to its update, and what follows it. */
import type { NodeId, PlannedOperation, Ref, Vocabulary } from '../plan/operation.ts'
import type { Plan, PlanNode, Rollout, Turn } from '../plan/plan.ts'

/**
 * fatal: as any other failure. recover: the update ends here, and what its rollout says follows. tolerated: the update goes on, with the
 * container as it is. skipped: it goes on without the rest of this turn.
 */
export type Verdict = 'fatal' | 'recover' | 'tolerated' | 'skipped'

/** One update under way. */
export class Roll {
  readonly rollout: Rollout
  /** Ends what is under way of it. */
  readonly control = new AbortController()
  /** Its nodes under way. */
  readonly running = new Set<Promise<void>>()
  readonly #turns = new Map<NodeId, Turn>()
  readonly #failed = new Set<Turn>()
  /** Those that go no further. */
  readonly #ended = new Set<Turn>()
  readonly #words: Vocabulary<PlannedOperation>

  constructor(rollout: Rollout, words: Vocabulary<PlannedOperation>) {
    this.rollout = rollout
    this.#words = words
    for (const turn of rollout.turns) for (const node of turn.nodes) this.#turns.set(node, turn)
  }

  /** Nodes of a turn that goes no further. */
  isSkipped({ id }: PlanNode): boolean {
    const turn = this.#turns.get(id)
    return turn !== undefined && this.#ended.has(turn)
  }

  /** What a failed node of it means. */
  judge({ id, operation }: PlanNode): Verdict {
    const turn = this.#turns.get(id)
    if (!turn?.trials.includes(id)) return 'fatal'
    this.#failed.add(turn)
    const { action, maxFailureRatio, turns } = this.rollout
    const isForAll = this.#words.precedesAll(operation)
    const isTooMany = isForAll || this.#failed.size / turns.length > maxFailureRatio
    if (isTooMany && action !== 'continue') return 'recover'
    if (isForAll) return 'fatal'
    // one that does not do well is there all the same
    if (this.#words.waits(operation)) return 'tolerated'
    this.#ended.add(turn)
    return 'skipped'
  }

  /** What was to come by the turn of a node. */
  containerOf({ id }: PlanNode): Ref | undefined {
    return this.#turns.get(id)?.container
  }

  /** What is not under way any more is not begun either. */
  get isOver(): boolean {
    return this.control.signal.aborted
  }
}

/** The updates of a plan, by node. */
export class Rolls {
  readonly #plan: Plan
  readonly #byNode = new Map<NodeId, Roll>()

  constructor(plan: Plan) {
    this.#plan = plan
    for (const rollout of plan.rollouts) this.#add(rollout)
  }

  #add(rollout: Rollout): void {
    const roll = new Roll(rollout, this.#plan.words)
    for (const turn of rollout.turns) for (const node of turn.nodes) this.#byNode.set(node, roll)
  }

  of({ id }: PlanNode): Roll | undefined {
    return this.#byNode.get(id)
  }

  /** What follows, in the order of the plan, once nothing of it is under way any more. */
  recover(roll: Roll, done: (node: NodeId) => boolean): readonly PlanNode[] {
    const before = this.#plan.nodes.length
    const next = roll.rollout.recover(this.#plan, done)
    if (next) this.#add(next)
    return this.#plan.nodes.slice(before)
  }
}
