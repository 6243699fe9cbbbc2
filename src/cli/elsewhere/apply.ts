/** A plan for a target that is not the engine, on its way. */
import { printable } from '../../lib/text.ts'
import type { Plan } from '../../plan/plan.ts'
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
  try {
    await run(plan, target.performer(), {
      signal: call.signal,
      onEvent: event => progress.tell(event),
      ...(parallel === undefined ? {} : { parallel }),
      ...(waitTimeout === undefined ? {} : { waitTimeout: waitTimeout * 1000 }),
    })
  } finally {
    await progress.end()
  }
}
