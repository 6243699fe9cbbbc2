/** What is said of an engine's operations while they are done, in Docker Compose's words: scripts look for them. */
import type { Told } from '../../plan/operation.ts'
import type { Operation, OperationKind, WaitCondition } from './operation.ts'

const plain: Readonly<Record<OperationKind, Told>> = {
  'create-network': { doing: 'Creating', done: 'Created' },
  'remove-network': { doing: 'Removing', done: 'Removed' },
  'create-volume': { doing: 'Creating', done: 'Created' },
  'remove-volume': { doing: 'Removing', done: 'Removed' },
  'pull-image': { doing: 'Pulling', done: 'Pulled' },
  'build-image': { doing: 'Building', done: 'Built' },
  'remove-image': { doing: 'Removing', done: 'Removed' },
  'create-container': { doing: 'Creating', done: 'Created' },
  'update-container': { doing: 'Updating', done: 'Updated' },
  'upload-files': {},
  'start-container': { doing: 'Starting', done: 'Started' },
  'run-hook': {},
  'run-init': { doing: 'Running', done: 'Completed' },
  'unpause-container': { done: 'Unpaused' },
  'pause-container': { done: 'Paused' },
  'wait-container': { doing: 'Waiting', done: 'Healthy' },
  'stop-container': { doing: 'Stopping', done: 'Stopped' },
  'restart-container': { doing: 'Restarting', done: 'Started' },
  'kill-container': { doing: 'Killing', done: 'Killed' },
  'rename-container': {},
  'take-over': {},
  'drain-container': {},
  'monitor-container': { doing: 'Watching', done: 'Watched' },
  delay: {},
  'connect-network': {},
  'disconnect-network': {},
  'remove-container': { doing: 'Removing', done: 'Removed' },
}

/** What takes another's place: with a container its steps are one thing to whoever looks on. */
const replacing: Partial<Readonly<Record<OperationKind, Told>>> = {
  'create-container': { doing: 'Recreate' },
  'stop-container': {},
  'remove-container': {},
  'rename-container': { done: 'Recreated' },
  'remove-network': { done: 'Removed' },
}

/** What is a step of something else is silent there, and has its word when it is all that is done. */
const alone: Partial<Readonly<Record<OperationKind, Told>>> = {
  'connect-network': { doing: 'Connecting', done: 'Connected' },
  'disconnect-network': { doing: 'Disconnecting', done: 'Disconnected' },
}

/** `kinds`: of all that is done to the same thing. */
export function told(operation: Operation, kinds: ReadonlySet<string>): Told {
  // it has given its name away, and is told of under it
  if (operation.kind === 'rename-container' && operation.to !== undefined) return {}
  const own = 'changes' in operation ? alone[operation.kind] : undefined
  if (own) return own
  const isOf = (...all: OperationKind[]) => all.every(kind => kinds.has(kind))
  const replaces = isOf('create-container', 'rename-container') || isOf('remove-network', 'create-network')
  return (replaces ? replacing[operation.kind] : undefined) ?? plain[operation.kind]
}

const waitingFor: Readonly<Record<WaitCondition, string>> = {
  healthy: 'to be healthy',
  completed: 'to complete',
  ready: 'to be ready',
  serving: 'to be ready',
}

/** "Waiting for db to be healthy"; undefined for what does not wait. */
export function waitText(operation: Operation): string | undefined {
  if (operation.kind !== 'wait-container') return undefined
  const { service, name, condition } = operation
  return `Waiting for ${service ?? name} ${waitingFor[condition]}`
}
