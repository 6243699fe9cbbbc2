/** Restart policy × exit → whether and when to start again: pure. */

export interface RestartPolicy {
  readonly Name: string
  readonly MaximumRetryCount: number
}

export const restartPolicies = ['no', 'always', 'on-failure', 'unless-stopped'] as const

const firstDelay = 100
const longestDelay = 60_000
/** A process that lived this long has its backoff forgotten. */
const steadyAfter = 10_000

/** Milliseconds to wait, given the wait before the run that has just ended (0 for none). */
export function nextDelay(previous: number, ranFor: number): number {
  if (previous === 0 || ranFor >= steadyAfter) return firstDelay
  return Math.min(previous * 2, longestDelay)
}

/** Whether an exit is followed by another start while the engine runs. A stop on purpose never is. */
export function restartsAfterExit(
  policy: RestartPolicy,
  exit: { readonly exitCode: number; readonly restartCount: number; readonly stoppedOnPurpose: boolean },
): boolean {
  if (exit.stoppedOnPurpose) return false
  switch (policy.Name) {
    case 'always':
    case 'unless-stopped':
      return true
    case 'on-failure':
      return exit.exitCode !== 0 && (policy.MaximumRetryCount === 0 || exit.restartCount < policy.MaximumRetryCount)
    default:
      return false
  }
}

/** Whether a container that is not running is started with the engine; `always` even when it was stopped on purpose. */
export function startsWithEngine(
  policy: RestartPolicy,
  last: { readonly exitCode: number; readonly restartCount: number; readonly stoppedOnPurpose: boolean },
): boolean {
  return policy.Name === 'always' || restartsAfterExit(policy, last)
}
