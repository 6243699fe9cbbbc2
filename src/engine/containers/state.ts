/** Which moves of a container's status are legal, and what each status reads like. */
import { Failure } from '../../lib/failure.ts'

export const statuses = [
  'created',
  'starting',
  'running',
  'paused',
  'restarting',
  'exited',
  'removing',
  'dead',
] as const

export type Status = (typeof statuses)[number]

/** What a start may begin from. */
export const startable = ['created', 'restarting', 'exited'] as const satisfies readonly Status[]

/** From each status, where a container can go next; a move not in here is a conflict. */
export const moves: Readonly<Record<Status, readonly Status[]>> = {
  created: ['starting', 'removing'],
  // a failed start goes back to where it came from
  starting: ['running', 'created', 'exited', 'restarting'],
  running: ['paused', 'restarting', 'exited'],
  paused: ['running', 'restarting', 'exited'],
  restarting: ['starting', 'exited', 'removing'],
  exited: ['starting', 'removing'],
  removing: ['dead'],
  dead: ['removing'],
}

/** @throws Failure `conflict` when the move is not legal. */
export function checkMove(name: string, from: Status, to: Status): void {
  if (!moves[from].includes(to))
    throw new Failure('conflict', `Cannot move container "${name}" to ${to}: it is ${from}`)
}

/** Whether a process exists, so that verbs which need one may act. */
export function isRunning(status: Status): boolean {
  return status === 'running' || status === 'paused'
}

/** The status clients know: `starting` is an inner one, seen as what was before, so that none is seen to exit between two runs. */
export function shownStatus(state: {
  readonly status: Status
  readonly before?: (typeof startable)[number] | undefined
}): Exclude<Status, 'starting'> {
  return state.status === 'starting' ? (state.before ?? 'created') : state.status
}
