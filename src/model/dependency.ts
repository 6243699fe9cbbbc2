/** What one service waits for in another before it is started. */

export const conditions = ['started', 'healthy', 'completed'] as const

export type Condition = (typeof conditions)[number]

export interface Dependency {
  readonly service: string
  readonly condition: Condition
  /** Otherwise the dependent starts also without it, with a warning. */
  readonly required: boolean
  /** The dependent is restarted when an explicit operation restarts this service. */
  readonly restart: boolean
}
