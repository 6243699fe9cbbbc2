/** How a container is asked whether it is well. */

export interface Healthcheck {
  /** No check, not even the image's own (`disable: true` or test NONE). */
  readonly disable: boolean
  /** ["CMD", …] or ["CMD-SHELL", "…"]; undefined: the image's test with the times given here. */
  readonly test?: readonly string[]
  /** Nanoseconds. */
  readonly interval?: number
  readonly timeout?: number
  readonly startPeriod?: number
  readonly startInterval?: number
  readonly retries?: number
}
