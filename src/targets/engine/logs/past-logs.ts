/** What containers of a project have printed that are no more: those that others took the place of, and those of which there were too many. */
import { type PastLog, pastLogEndpoints } from '../../../api/past-logs.ts'
import type { Client } from '../../../client/client.ts'
import { isFailure } from '../../../lib/failure.ts'
import { labels } from '../labels.ts'

export interface PastOptions {
  /** Undefined: all. */
  readonly services?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

/** By when they were removed; none of an engine that keeps none, as Docker's. */
export async function listPastLogs(
  client: Client,
  project: string,
  { services, signal }: PastOptions,
): Promise<readonly PastLog[]> {
  try {
    const found = await client.call(pastLogEndpoints.pastLogList, { query: { filters: of(project) } }, { signal })
    return found.filter(({ Labels }) => services?.includes(Labels[labels.service] ?? '') ?? true)
  } catch (error) {
    if (!isMissing(error)) throw error
    return []
  }
}

/** Those that are the past of no container any more. */
export async function forgetPastLogs(
  client: Client,
  project: string,
  { services, signal }: PastOptions,
): Promise<void> {
  const all = services?.map(service => of(project, `${labels.service}=${service}`)) ?? [of(project)]
  try {
    for (const filters of all) await client.call(pastLogEndpoints.pastLogPrune, { query: { filters } }, { signal })
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

/** The endpoint: the engine is another than ours, or an older one. */
function isMissing(error: unknown): boolean {
  return isFailure(error, 'not-found') || isFailure(error, 'unsupported')
}

function of(project: string, ...more: readonly string[]) {
  return { label: [`${labels.project}=${project}`, ...more] }
}
