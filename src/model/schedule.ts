/** When a service runs that is no server but a job: `x-schedule`. */

export const concurrencies = ['forbid', 'allow', 'replace'] as const
export type Concurrency = (typeof concurrencies)[number]

export const missedPolicies = ['skip', 'run'] as const
export type MissedPolicy = (typeof missedPolicies)[number]

export interface Schedule {
  /** Five to seven fields, or a nickname such as @daily. */
  readonly cron: string
  /** IANA name; undefined: the machine's. */
  readonly timezone?: string
  /** What happens when it is due while it still runs: not this time, beside it, or instead of it. */
  readonly concurrency: Concurrency
  /** What was due while nobody was there: left out, or made up for by one run. */
  readonly missed: MissedPolicy
  /** How many runs are remembered, and how many of their containers stay for their logs. */
  readonly history: number
}

/** When a container of a service turns unhealthy: `x-on-unhealthy`. */
export const unhealthyActions = ['none', 'restart', 'stop'] as const
export type UnhealthyAction = (typeof unhealthyActions)[number]
