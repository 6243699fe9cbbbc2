/** What is said of an engine's operations. */
import { Failure, messageOf } from '../../lib/failure.ts'
import type { Action, Vocabulary } from '../../plan/operation.ts'
import type { Operation, OperationKind } from './operation.ts'
import { told, waitText } from './progress-words.ts'

export const words: Vocabulary<Operation> = {
  resource,
  isContainer: operation => resource(operation) === 'container',
  // a named volume's
  destroys: ({ kind }) => kind === 'remove-volume',
  waits: ({ kind }) => waits.has(kind),
  precedesAll: operation => operation.kind === 'run-init' && operation.once,
  late: operation =>
    operation.kind === 'wait-container' ? `container ${operation.name} is not ${operation.condition}` : undefined,
  failure: failureOf,
  kept: 'Container',
  told,
  waitText,
  amount: amountOf,
}

/** What an operation is about, as the plan's second column says it. */
type Resource = 'network' | 'volume' | 'image' | 'container' | 'service'

function resource(operation: Operation): Resource {
  switch (operation.kind) {
    case 'create-network':
    case 'remove-network':
      return 'network'
    case 'create-volume':
    case 'remove-volume':
      return 'volume'
    case 'pull-image':
    case 'build-image':
    case 'remove-image':
      return 'image'
    case 'delay':
      return 'service'
    default:
      return 'container'
  }
}

const waits: ReadonlySet<OperationKind> = new Set(['wait-container', 'monitor-container', 'drain-container', 'delay'])

function amountOf(operations: readonly Operation[]): { readonly action: Action; readonly by: Operation } | undefined {
  const find = (test: (kind: OperationKind) => boolean) => operations.find(({ kind }) => test(kind))
  const made = find(kind => kind.startsWith('create-'))
  const gone = find(kind => kind.startsWith('remove-'))
  if (made) return { action: gone ? 'recreate' : 'create', by: made }
  if (gone) return { action: 'remove', by: gone }
  const stop = find(kind => kind === 'stop-container' || kind === 'kill-container')
  const start = find(kind => kind === 'start-container')
  const restart = find(kind => kind === 'restart-container') ?? (stop && start)
  if (restart) return { action: 'restart', by: restart }
  if (start) return { action: 'start', by: start }
  if (stop) return { action: 'stop', by: stop }
  const single: Readonly<Partial<Record<OperationKind, Action>>> = {
    'pull-image': 'pull',
    'build-image': 'build',
    'run-init': 'run',
    'update-container': 'in place',
    'connect-network': 'in place',
    'disconnect-network': 'in place',
    'pause-container': 'other',
    'unpause-container': 'start',
  }
  const by = find(kind => single[kind] !== undefined)
  return by && { action: single[by.kind]!, by }
}

const verbs: Readonly<Record<OperationKind, string>> = {
  'create-network': 'create network',
  'remove-network': 'remove network',
  'create-volume': 'create volume',
  'remove-volume': 'remove volume',
  'pull-image': 'pull image',
  'build-image': 'build image',
  'remove-image': 'remove image',
  'create-container': 'create container',
  'update-container': 'update container',
  'upload-files': 'put configs and secrets into container',
  'start-container': 'start container',
  'unpause-container': 'unpause container',
  'pause-container': 'pause container',
  'wait-container': 'go on',
  'stop-container': 'stop container',
  'restart-container': 'restart container',
  'kill-container': 'kill container',
  'rename-container': 'rename container',
  'take-over': 'pass ports and names to container',
  'drain-container': 'wait for the end of connections to container',
  'monitor-container': 'watch container',
  delay: 'wait with the next of',
  'run-hook': 'run hook in container',
  'run-init': 'run init container',
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
    operation.kind === 'monitor-container' ||
    ((operation.kind === 'run-hook' || operation.kind === 'run-init') && given?.kind === 'conflict') ||
    (text.startsWith('Cannot ') && text.includes(`"${operation.name}"`))
  const message = whole ? text : `Cannot ${verbs[operation.kind]} "${operation.name}": ${text}`
  return new Failure(given?.kind ?? 'internal', message, {
    cause: error,
    ...(given?.hint === undefined ? {} : { hint: given.hint }),
    ...(given?.exitCode === undefined ? {} : { exitCode: given.exitCode }),
  })
}
