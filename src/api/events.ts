/** A message of GET /events. */

export interface EventMessage {
  readonly Type: string
  /** create, start, die, "exec_create: sh -c true", "health_status: healthy". */
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
  readonly scope: string
  /** Seconds. */
  readonly time: number
  /** Nanoseconds; past 2⁵³, so the last digits are lost in a number. */
  readonly timeNano: number
  /** Containers and images repeat these three. */
  readonly status?: string
  readonly id?: string
  readonly from?: string
}
