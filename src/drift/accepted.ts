/** What a person has changed of a stack since it was asked for, by other means than `up`. */
export interface Accepted {
  /** Ids of containers that were stopped on purpose. */
  readonly stopped: readonly string[]
  /** Ids of containers that were paused on purpose. */
  readonly paused: readonly string[]
  /** Service → replicas that were left. */
  readonly scale: Readonly<Record<string, number>>
}

export const nothingAccepted: Accepted = { stopped: [], paused: [], scale: {} }
