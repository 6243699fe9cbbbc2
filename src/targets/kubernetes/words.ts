/** What is said of a cluster's operations; kinds of objects are called as the cluster calls them. */
import { Failure, messageOf } from '../../lib/failure.ts'
import type { Action, Told, Vocabulary } from '../../plan/operation.ts'
import { isWorkload, type Kind } from './manifest.ts'
import type { ClusterOperation } from './operation.ts'
import { refusalText, statusIn } from './rest/status.ts'

const kinds = {
  'create-object': ['create', 'create', { doing: 'Creating', done: 'Created' }],
  'update-object': ['in place', 'update', { doing: 'Updating', done: 'Updated' }],
  'restart-object': ['recreate', 'restart', { doing: 'Restarting', done: 'Restarted' }],
  'replace-object': ['recreate', 'replace', { doing: 'Replacing', done: 'Replaced' }],
  'delete-object': ['remove', 'remove', { doing: 'Removing', done: 'Removed' }],
  'wait-workload': [undefined, 'wait for', { doing: 'Waiting', done: 'Running' }],
  'wait-gone': [undefined, 'wait for the end of', {}],
} as const satisfies Readonly<Record<ClusterOperation['kind'], readonly [Action | undefined, string, Told]>>

function objectOf(operation: ClusterOperation): Kind {
  switch (operation.kind) {
    case 'create-object':
    case 'update-object':
    case 'restart-object':
    case 'replace-object':
      return operation.manifest.kind
    case 'wait-gone':
      return 'Deployment'
    default:
      return operation.object
  }
}

/** A workload is its service, for a reader of the stack. */
function isOfService(operation: ClusterOperation): boolean {
  return operation.service !== undefined && isWorkload(objectOf(operation))
}

export const words: Vocabulary<ClusterOperation> = {
  resource: operation => (isOfService(operation) ? 'service' : objectOf(operation)),
  isContainer: isOfService,
  destroys: operation => operation.kind === 'delete-object' && operation.object === 'PersistentVolumeClaim',
  waits: ({ kind }) => kind === 'wait-workload' || kind === 'wait-gone',
  precedesAll: () => false,
  late: operation =>
    operation.kind === 'wait-workload' ? `service ${operation.service} is not ${operation.condition}` : undefined,
  failure(operation, error) {
    const given = error instanceof Failure ? error : undefined
    const status = statusIn(error)
    const text = status ? refusalText(status) : messageOf(error)
    const where = 'place' in operation && operation.place !== undefined ? `${operation.place}: ` : ''
    const message =
      operation.kind === 'wait-workload'
        ? text
        : `${where}Cannot ${kinds[operation.kind][1]} ${objectOf(operation)} "${operation.name}": ${text}`
    return new Failure(given?.kind ?? 'internal', message, {
      cause: error,
      ...(given?.hint === undefined ? {} : { hint: given.hint }),
    })
  },
  kept: 'Service',
  told: ({ kind }) => kinds[kind][2],
  waitText: operation =>
    operation.kind === 'wait-workload' ? `Waiting for ${operation.service} to be ${operation.condition}` : undefined,
  amount(operations) {
    const by = operations.find(({ kind }) => kinds[kind][0] !== undefined)
    if (!by) return undefined
    const action =
      by.kind === 'update-object' && isWorkload(by.manifest.kind) && renewsPods(by) ? 'recreate' : kinds[by.kind][0]
    return { action: action!, by }
  },
}

/** Whether new pods take the place of those that run. */
function renewsPods({ changes = [] }: Extract<ClusterOperation, { readonly changes?: unknown }>): boolean {
  return changes.some(({ path }) => !/^deploy\.(labels|replicas|update_config)|^(restart|x-schedule)/.test(path))
}
