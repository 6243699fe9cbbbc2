/** What would be done to a stack and why, and doing exactly that. */
import { z } from 'zod'
import { type Roads, verbs } from './roads.ts'
import { post, type Route } from './routes.ts'
import type { Stacks } from './stacks.ts'
import type { PlanPreview, PlanWish } from './wire.ts'

const names = z.array(z.string().min(1).max(200)).max(1000)
const wish = z.object({
  services: names.optional(),
  build: z.boolean().optional(),
  pull: z.boolean().optional(),
  recreate: z.boolean().optional(),
  removeOrphans: z.boolean().optional(),
  to: z.number().int().min(1).optional(),
}) satisfies z.ZodType<PlanWish>

export function planRoutes(stacks: Stacks, roads: Roads): readonly Route[] {
  return [
    post(
      'POST /api/stacks/{stack}/plan',
      { changes: false, body: wish },
      async ({ params, body }): Promise<PlanPreview> => {
        const { files: _, ...preview } = await roads.foresee(stacks.place(params['stack']!), body)
        return preview
      },
    ),
    post(
      'POST /api/stacks/{stack}/apply',
      { changes: true, body: wish.extend({ id: z.string().regex(/^[0-9a-f]{32}$/) }) },
      async ({ params, body }) => {
        const stack = params['stack']!
        const place = stacks.place(stack)
        const title = body.to === undefined ? `apply to ${stack}` : `go back to ${body.to}`
        return stacks.jobs.begin(stack, title, tell => roads.apply(place, body, tell))
      },
    ),
    post(
      'POST /api/stacks/{stack}/turn',
      { changes: true, body: z.object({ verb: z.enum(verbs), services: names }) },
      async ({ params, body: { verb, services } }) => {
        const stack = params['stack']!
        const place = stacks.place(stack)
        const title = [verb, services.length > 0 ? services.join(', ') : stack].join(' ')
        return stacks.jobs.begin(stack, title, tell => roads.turn(place, { verb, services }, tell))
      },
    ),
  ]
}
