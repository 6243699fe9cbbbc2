/** All that can be asked for, gathered. */
import { release } from '../installation/release.ts'
import { fileRoutes } from './file-routes.ts'
import { historyRoutes } from './history-routes.ts'
import { planRoutes } from './plan-routes.ts'
import type { Roads } from './roads.ts'
import { type Route, read } from './routes.ts'
import type { Stacks } from './stacks.ts'
import type { About } from './wire.ts'

export function stackRoutes(
  stacks: Stacks,
  { roads, readOnly }: { readonly roads: Roads; readonly readOnly: boolean },
): readonly Route[] {
  return [
    read('GET /api/about', async (): Promise<About> => ({ engine: roads.client.host, readOnly, version: release })),
    read('GET /api/jobs', async () => stacks.jobs.rows),
    read('GET /api/schema', async () => roads.schema()),
    ...planRoutes(stacks, roads),
    ...fileRoutes(stacks, roads),
    ...historyRoutes(roads),
  ]
}
