/** A plan for a target that is not the engine, on its way. */
import { list, printable } from '../../lib/text.ts'
import type { Plan, PlanNode } from '../../plan/plan.ts'
import type { Target } from '../../targets/target.ts'
import type { Call } from '../command.ts'

/** Carries a plan out, or shows it for --dry-run. */
export async function applyOn(call: Call, target: Target, plan: Plan, waitTimeout?: number): Promise<void> {
  const { screen, globals } = call
  for (const warning of plan.warnings) screen.warn(printable(warning))
  if (plan.empty) return screen.say('no changes')
  if (globals['dry-run']) {
    const { printPlan } = await import('../../plan/print.ts')
    return screen.say(printPlan(plan).trimEnd())
  }
  const [{ run }, { progressOf }, { parallelOf }] = await Promise.all([
    import('../../apply/run.ts'),
    import('../progress/choose.ts'),
    import('../apply-plan.ts'),
  ])
  const progress = await progressOf(call, plan)
  const parallel = parallelOf(call)
  const done = new Set<PlanNode>()
  let isWhole = false
  try {
    await run(plan, target.performer(), {
      signal: call.signal,
      onEvent: event => {
        if (event.kind === 'done') done.add(event.node)
        progress.tell(event)
      },
      ...(parallel === undefined ? {} : { parallel }),
      ...(waitTimeout === undefined ? {} : { waitTimeout: waitTimeout * 1000 }),
    })
    isWhole = true
  } finally {
    await progress.end()
    if (!isWhole) tellHalf(call, plan, done)
  }
}

/** Names at most. */
const shown = 5

/** What has been done of a plan that was not carried out whole. */
function tellHalf({ screen }: Call, { nodes, words }: Plan, done: ReadonlySet<PlanNode>): void {
  const changes = nodes.filter(({ operation }) => !words.waits(operation))
  const made = changes.filter(node => done.has(node))
  if (made.length === changes.length) return
  const names = made.slice(0, shown).map(({ operation }) => `${words.resource(operation)} "${operation.name}"`)
  const more = made.length > shown ? [`${made.length - shown} more`] : []
  const which = made.length === 0 ? '' : `, ${list([...names, ...more])}`
  screen.warn(
    printable(`${made.length} of ${changes.length} changes are made${which}: the next try goes on from there`),
  )
}
