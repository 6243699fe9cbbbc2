/** What is asked of a target before a plan is carried out. */
import type { ObserveOptions } from '../../targets/target.ts'
import type { Call } from '../command.ts'

/** A plan that is shown is to be right in each line; of one that is carried out the writes themselves tell. */
export function rehearsedBy({ globals }: Call): NonNullable<ObserveOptions['rehearsed']> {
  return globals['dry-run'] ? 'each' : 'shapes'
}
