/** Where a value came from: each file, line, variable, include and extends on its way, for `config --trace`. */
import { Failure } from '../lib/failure.ts'
import type { Place } from '../lib/problems.ts'
import type { LoadedStack } from './load.ts'

export interface TraceStop {
  /** What happened there: "set", "overridden", "interpolated ${TAG}", "extends base", "included", "default". */
  readonly action: string
  /** The value as it stood there. */
  readonly value: string
  readonly place: Place | undefined
}

/** The stops of the field at `key` ("services.web.environment.TAG"), oldest first; Failure not-found when there is none. */
export function trace(_loaded: LoadedStack, _key: string): readonly TraceStop[] {
  throw new Failure('internal', 'Not yet written')
}
