/** How progress is shown: a live list on a terminal, a line a resource elsewhere, JSON for programs, or not at all. */
import type { ApplyEvent } from '../../apply/events.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Call } from '../command.ts'
import type { Progress } from './progress.ts'
import { Resources } from './resources.ts'

/** By --progress, or what status is written to; with --quiet-pull without how far pulls are, with --quiet-build without what builds do. */
export async function progressOf(call: Call, plan: Plan, live = true): Promise<Progress> {
  const progress = await chosen(call, plan, live)
  const quietPull = call.options['quiet-pull'] === true
  const quietBuild = call.options['quiet-build'] === true
  if (!quietPull && !quietBuild) return progress
  const isQuiet = (event: ApplyEvent) =>
    (quietPull && event.node.operation.kind === 'pull-image' && event.kind === 'progress') ||
    (quietBuild && event.kind === 'build')
  return { tell: event => (isQuiet(event) ? undefined : progress.tell(event)), end: () => progress.end() }
}

async function chosen({ globals, screen }: Call, plan: Plan, live: boolean): Promise<Progress> {
  const style = globals.progress ?? 'auto'
  // A list that is longer than the screen cannot be redrawn in place.
  const fits =
    plan.nodes.length + plan.kept.length < (screen.status.rows ?? 0) ||
    new Resources(plan).all.length < (screen.status.rows ?? 0) - 1
  const wanted = style === 'auto' && screen.isLive && fits ? 'tty' : style
  switch (wanted === 'tty' && !live ? 'plain' : wanted) {
    case 'tty':
      return (await import('./tasks.ts')).tasksProgress(screen, plan)
    case 'json':
      return (await import('./json.ts')).jsonProgress(screen)
    case 'quiet':
      return { tell: () => {}, end: async () => {} }
    default:
      return (await import('./plain.ts')).plainProgress(screen, plan)
  }
}
