/** A target of these tests alone: things that are made, replaced and taken away, and waits for them. */
import { Failure } from '../../src/lib/failure.ts'
import type { Action, PlannedOperation, Vocabulary } from '../../src/plan/operation.ts'
import { Plan } from '../../src/plan/plan.ts'

/** `kind`: what becomes of it; "wait" and "rename" are steps on the way. */
export interface Operation extends PlannedOperation {
  readonly kind: Action | 'wait' | 'rename'
  readonly thing: 'container' | 'network' | 'volume'
}

export const words: Vocabulary<Operation> = {
  resource: ({ thing }) => thing,
  isContainer: ({ thing }) => thing === 'container',
  destroys: ({ kind, thing }) => kind === 'remove' && thing === 'volume',
  waits: ({ kind }) => kind === 'wait',
  precedesAll: () => false,
  late: () => undefined,
  failure: () => new Failure('internal', 'Cannot'),
  kept: 'Container',
  told: () => ({}),
  waitText: () => undefined,
  amount(operations) {
    const by = operations.find(({ kind }) => kind !== 'wait' && kind !== 'rename')
    return by && { action: by.kind as Action, by }
  },
}

export function container(name: string, kind: Operation['kind'], more: Partial<Operation> = {}): Operation {
  return { thing: 'container', name, kind, cause: `${kind} it`, service: name.split('-')[0]!, ...more }
}

export function other(thing: Operation['thing'], name: string, kind: Operation['kind']): Operation {
  return { thing, name, kind, cause: `${kind} it` }
}

/** Each operation after the one before. */
export function planOf(...operations: readonly Operation[]): Plan<Operation> {
  const plan = new Plan(words)
  for (const operation of operations) plan.add(operation, plan.nodes.length === 0 ? [] : [plan.nodes.length])
  return plan
}
