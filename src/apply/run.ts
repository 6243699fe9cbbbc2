/** Walks a plan: a node starts when those before it are done, never more than `parallel` calls at once. */
import type { Client } from '../client/client.ts'
import { Failure } from '../lib/failure.ts'
import type { Plan } from '../plan/plan.ts'
import type { ApplyEvent } from './events.ts'

export interface RunOptions {
  /** API calls in flight at most, from 1 to 999; default 4 per core. */
  readonly parallel?: number
  readonly signal?: AbortSignal | undefined
  /** Seconds that any wait may take; default none. */
  readonly waitTimeout?: number
  readonly onEvent?: (event: ApplyEvent) => void
}

/** @throws Failure of all that failed; `cancelled` when the signal fired; `invalid` for a bad `parallel`. */
export async function run(_plan: Plan, _client: Client, _options: RunOptions = {}): Promise<void> {
  throw new Failure('internal', 'Not yet written')
}
