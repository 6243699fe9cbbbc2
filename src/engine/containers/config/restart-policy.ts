/** Restart policy × exit → whether and when to start again: pure. */
import { annotations } from '../../../api/annotations.ts'
import { Failure } from '../../../lib/failure.ts'
import { parseDuration } from '../../../lib/units.ts'

/** What annotations say of restarts. */
export interface RestartTuning {
  /** Milliseconds. */
  readonly delay?: number
  readonly window?: number
  readonly attempts?: number
}

/** @throws Failure `invalid` for what is neither a time nor a number. */
export function restartTuning(given: Readonly<Record<string, string>>): RestartTuning {
  const invalid = (key: string) => new Failure('invalid', `Cannot use "${given[key]}" as the annotation "${key}"`)
  const time = (key: string): number | undefined => {
    if (given[key] === undefined) return undefined
    const nanoseconds = parseDuration(given[key])
    if (nanoseconds === undefined || nanoseconds < 0) throw invalid(key)
    return Math.round(nanoseconds / 1e6)
  }
  const attempts = given[annotations.restartAttempts]
  if (attempts !== undefined && !/^\d{1,9}$/.test(attempts)) throw invalid(annotations.restartAttempts)
  return {
    delay: time(annotations.restartDelay),
    window: time(annotations.restartWindow),
    attempts: attempts === undefined ? undefined : Number(attempts),
  }
}

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
export function nextDelay(previous: number, ranFor: number, { delay }: RestartTuning = {}): number {
  if (delay) return delay
  if (previous === 0 || ranFor >= steadyAfter) return firstDelay
  return Math.min(previous * 2, longestDelay)
}

/**
 * What is left of a delay when the run has ended. The first one is counted from the start of that run, since it is to keep a container from
 * being started more often than that: what has run for longer comes back at once. Between crashes that follow each other, and where somebody
 * has asked for a delay, all of it passes. A clock that was set back makes none longer.
 */
export function delayLeft(delay: number, ranFor: number, tuning: RestartTuning = {}): number {
  if (tuning.delay || delay > firstDelay) return delay
  return Math.max(0, delay - Math.max(0, ranFor))
}

/** Restarts that have failed, the run that has just ended among them: one that ran for the window has not. */
export function failedRestarts(
  before: { readonly restartCount: number; readonly failedRestarts: number },
  ranFor: number,
  { window = 0 }: RestartTuning,
): number {
  return before.restartCount > 0 && ranFor < window ? before.failedRestarts + 1 : before.failedRestarts
}

interface Ended {
  readonly exitCode: number
  readonly restartCount: number
  readonly failedRestarts?: number
  readonly stoppedOnPurpose: boolean
}

/** Whether an exit is followed by another start while the engine runs. A stop on purpose never is. */
export function restartsAfterExit(policy: RestartPolicy, exit: Ended, tuning: RestartTuning = {}): boolean {
  if (exit.stoppedOnPurpose) return false
  const most = policy.MaximumRetryCount || tuning.attempts || Number.POSITIVE_INFINITY
  const count = tuning.window ? (exit.failedRestarts ?? 0) : exit.restartCount
  switch (policy.Name) {
    case 'always':
    case 'unless-stopped':
      return count < most
    case 'on-failure':
      return exit.exitCode !== 0 && count < most
    default:
      return false
  }
}

/** Whether a container that is not running is started with the engine; `always` even when it was stopped on purpose. */
export function startsWithEngine(policy: RestartPolicy, last: Ended, tuning: RestartTuning = {}): boolean {
  return policy.Name === 'always' || restartsAfterExit(policy, last, tuning)
}
