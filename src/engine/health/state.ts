/** Probe results to starting, healthy or unhealthy: pure. */
import { z } from 'zod'

/** One probe, as State.Health.Log shows it. */
export const probeResultSchema = z.object({
  Start: z.string(),
  End: z.string(),
  ExitCode: z.number(),
  Output: z.string(),
})
export type ProbeResult = z.infer<typeof probeResultSchema>

export const healthStateSchema = z.object({
  Status: z.enum(['starting', 'healthy', 'unhealthy']),
  FailingStreak: z.number(),
  Log: z.array(probeResultSchema),
})
export type HealthState = z.infer<typeof healthStateSchema>

/** A health check with every default applied; milliseconds. */
export interface HealthPlan {
  /** `["CMD", …]` or `["CMD-SHELL", text]`. */
  readonly test: readonly string[]
  readonly interval: number
  readonly timeout: number
  readonly retries: number
  readonly startPeriod: number
  readonly startInterval: number
}

export const keptResults = 5
export const keptOutput = 4096

export const startingHealth: HealthState = { Status: 'starting', FailingStreak: 0, Log: [] }

interface HealthcheckConfig {
  readonly Test?: readonly string[] | null | undefined
  readonly Interval?: number | undefined
  readonly Timeout?: number | undefined
  readonly Retries?: number | undefined
  readonly StartPeriod?: number | undefined
  readonly StartInterval?: number | undefined
}

const milliseconds = (nanoseconds: number | undefined, otherwise: number): number =>
  nanoseconds ? nanoseconds / 1e6 : otherwise

/** The plan of a healthcheck, or undefined when there is none or it is disabled. */
export function healthPlan(config: HealthcheckConfig | undefined): HealthPlan | undefined {
  const test = config?.Test ?? []
  if (!config || test.length === 0 || test[0] === 'NONE') return undefined
  return {
    test,
    interval: milliseconds(config.Interval, 30_000),
    timeout: milliseconds(config.Timeout, 30_000),
    retries: config.Retries || 3,
    startPeriod: milliseconds(config.StartPeriod, 0),
    startInterval: milliseconds(config.StartInterval, 5_000),
  }
}

/**
 * The state after one more result. During the start period a failure does not count, until a first success ends it.
 */
export function afterProbe(
  plan: HealthPlan,
  before: HealthState,
  { result, sinceStart }: { readonly result: ProbeResult; readonly sinceStart: number },
): HealthState {
  const Log = [...before.Log, result].slice(-keptResults)
  if (result.ExitCode === 0) return { Status: 'healthy', FailingStreak: 0, Log }
  if (before.Status === 'starting' && sinceStart < plan.startPeriod) return { ...before, Log }
  const FailingStreak = before.FailingStreak + 1
  return { Status: FailingStreak >= plan.retries ? 'unhealthy' : before.Status, FailingStreak, Log }
}

/** Milliseconds until the next probe: start_interval while starting within the start period, interval otherwise. */
export function untilNextProbe(plan: HealthPlan, state: HealthState, sinceStart: number): number {
  return state.Status === 'starting' && sinceStart < plan.startPeriod
    ? Math.min(plan.startInterval, plan.interval)
    : plan.interval
}
