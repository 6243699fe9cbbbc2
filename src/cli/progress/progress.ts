/** What shows how a plan is getting on; `choose.ts` picks which. */
import type { ApplyEvent } from '../../apply/events.ts'

export interface Progress {
  tell(event: ApplyEvent): void
  /** Resolves when all that is to be seen has been written. */
  end(): Promise<void>
}
