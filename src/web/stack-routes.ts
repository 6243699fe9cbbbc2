/** What is asked of stacks and done to them, route by route. */
import { z } from 'zod'
import { release } from '../installation/release.ts'
import { type Roads, verbs } from './roads.ts'
import { post, type Route, read } from './routes.ts'
import type { Stacks } from './stacks.ts'
import type { About } from './wire.ts'

const names = z.array(z.string().min(1).max(200)).max(1000)

export function stackRoutes(
  stacks: Stacks,
  { roads, readOnly }: { readonly roads: Roads; readonly readOnly: boolean },
): readonly Route[] {
  return [
    read('GET /api/about', async (): Promise<About> => ({ engine: roads.client.host, readOnly, version: release })),
    read('GET /api/jobs', async () => stacks.jobs.rows),
    post(
      'POST /api/stacks/{stack}/turn',
      { changes: true, body: z.object({ verb: z.enum(verbs), services: names }) },
      async ({ params, body }) => {
        const { stack } = params as { stack: string }
        stacks.check(stack)
        const { verb, services } = body
        const title = [verb, services.length > 0 ? services.join(', ') : stack].join(' ')
        return stacks.jobs.begin(stack, title, tell => roads.turn(stacks.place(stack), { verb, services }, tell))
      },
    ),
  ]
}
