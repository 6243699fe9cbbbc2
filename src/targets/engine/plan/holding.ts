/** What a plan is told by whoever holds a stack while nobody asks: what is to stay though it does not run, and what is to be restarted. */
import type { ObservedContainer } from '../observed.ts'

export interface Holding {
  /** Whether it stays as it is: it has been stopped or paused on purpose, or has ended by itself. */
  leaves(container: ObservedContainer): boolean
  /** Whether it is not even made anew, since it has been stopped on purpose: it is what is wanted once it is started. */
  stays(container: ObservedContainer): boolean
  /** How many there are to be, by what is there when the plan is made; undefined: as many as was asked for. */
  replicas?(service: string): number | undefined
  /** Why one that does not run is started now, where it has waited for something. */
  starts?(container: ObservedContainer): string | undefined
  /** Why one that runs is to be restarted. */
  restarts(container: ObservedContainer): string | undefined
  /**
   * What a service with an update_config was before runs on: an update is somebody's wish, and one that has failed, and may have gone back, is
   * not begun again by nobody's.
   */
  keepsVersions?(service: string): boolean
  /** A container is made anew when its image's name means another one by now. */
  readonly images?: boolean
  /** What was wished of a service has failed, and is not tried again: nothing is made of it, and what is there stays. */
  isLeft?(service: string): boolean
  /** Called of those where something would be to do. */
  differs?(service: string): void
}
