/** What is said of an operation, in Docker Compose's words: scripts look for them. */
import type { Outcome } from '../../apply/events.ts'
import type { Operation, WaitCondition } from '../../plan/operation.ts'
import type { Kept } from '../../plan/plan.ts'

export interface Words {
  /** While it runs; undefined: nothing worth a line. */
  readonly doing?: string
  readonly done?: string
}

const words: Readonly<Record<Operation['kind'], Words>> = {
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
const replacing: Partial<Readonly<Record<Operation['kind'], Words>>> = {
  'create-container': { doing: 'Recreate' },
  'stop-container': {},
  'remove-container': {},
  'rename-container': { done: 'Recreated' },
  'remove-network': { done: 'Removed' },
}

const outcomes: Readonly<Record<Outcome, string>> = {
  healthy: 'Healthy',
  exited: 'Exited',
  running: 'Running',
  unready: 'Not ready',
  'in-use': 'Resource is still in use',
}

/** What is a step of something else is silent there, and has its word when it is all that is done. */
const alone: Partial<Readonly<Record<Operation['kind'], Words>>> = {
  'connect-network': { doing: 'Connecting', done: 'Connected' },
  'disconnect-network': { doing: 'Disconnecting', done: 'Disconnected' },
}

export function wordsOf(operation: Operation, { replaces }: { readonly replaces: boolean }): Words {
  // it has given its name away, and is told of under it
  if (operation.kind === 'rename-container' && operation.to !== undefined) return {}
  const own = 'changes' in operation ? alone[operation.kind] : undefined
  if (own) return own
  return (replaces ? replacing[operation.kind] : undefined) ?? words[operation.kind]
}

export function keptWord(state: Kept['state']): string {
  return state === 'running' ? 'Running' : 'Stopped'
}

export function outcomeWord(outcome: Outcome): string {
  return outcomes[outcome]
}

const waitingFor: Readonly<Record<WaitCondition, string>> = {
  healthy: 'to be healthy',
  completed: 'to complete',
  ready: 'to be ready',
  serving: 'to be ready',
}

/** "Waiting for db to be healthy". */
export function waitText({ service, name, condition }: Operation & { kind: 'wait-container' }): string {
  return `Waiting for ${service ?? name} ${waitingFor[condition]}`
}
