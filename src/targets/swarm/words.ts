/** What is said of a swarm's operations. */
import { Failure, messageOf } from '../../lib/failure.ts'
import type { Action, Told, Vocabulary } from '../../plan/operation.ts'
import type { SwarmOperation } from './operation.ts'

type Kind = SwarmOperation['kind']

const kinds = {
  'create-network': ['network', 'create', 'create network', { doing: 'Creating', done: 'Created' }],
  'create-secret': ['secret', 'create', 'create secret', { doing: 'Creating', done: 'Created' }],
  'create-config': ['config', 'create', 'create config', { doing: 'Creating', done: 'Created' }],
  'remove-network': ['network', 'remove', 'remove network', { doing: 'Removing', done: 'Removed' }],
  'remove-secret': ['secret', 'remove', 'remove secret', { doing: 'Removing', done: 'Removed' }],
  'remove-config': ['config', 'remove', 'remove config', { doing: 'Removing', done: 'Removed' }],
  'create-service': ['service', 'create', 'create service', { doing: 'Creating', done: 'Created' }],
  'update-service': ['service', 'in place', 'update service', { doing: 'Updating', done: 'Updated' }],
  'remove-service': ['service', 'remove', 'remove service', { doing: 'Removing', done: 'Removed' }],
  'wait-service': ['service', undefined, 'wait for service', { doing: 'Waiting', done: 'Running' }],
  'wait-gone': ['service', undefined, 'wait for the end of service', {}],
} as const satisfies Readonly<Record<Kind, readonly [string, Action | undefined, string, Told]>>

export const words: Vocabulary<SwarmOperation> = {
  resource: ({ kind }) => kinds[kind][0],
  isContainer: ({ kind }) => kinds[kind][0] === 'service',
  // secrets are the stack's, and volumes are left alone
  destroys: () => false,
  waits: ({ kind }) => kind === 'wait-service' || kind === 'wait-gone',
  precedesAll: () => false,
  late: operation =>
    operation.kind === 'wait-service' ? `service ${operation.name} is not ${operation.condition}` : undefined,
  failure(operation, error) {
    const given = error instanceof Failure ? error : undefined
    const text = messageOf(error)
    const message =
      operation.kind === 'wait-service' ? text : `Cannot ${kinds[operation.kind][2]} "${operation.name}": ${text}`
    return new Failure(given?.kind ?? 'internal', message, {
      cause: error,
      ...(given?.hint === undefined ? {} : { hint: given.hint }),
    })
  },
  kept: 'Service',
  told: ({ kind }) => kinds[kind][3],
  waitText: operation =>
    operation.kind === 'wait-service' ? `Waiting for ${operation.service} to be ${operation.condition}` : undefined,
  amount(operations) {
    const by = operations.findLast(({ kind }) => kinds[kind][1] !== undefined)
    if (!by) return undefined
    const isGone = operations.some(({ kind }) => kinds[kind][1] === 'remove')
    if (isGone && kinds[by.kind][1] === 'create') return { action: 'recreate', by }
    const action = by.kind === 'update-service' && by.replaces ? 'recreate' : kinds[by.kind][1]
    return { action: action!, by }
  },
}
