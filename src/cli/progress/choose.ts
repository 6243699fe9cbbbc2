/** How progress is shown: a live list on a terminal, a line a resource elsewhere, JSON for programs, or not at all. */
import type { Plan } from '../../plan/plan.ts'
import type { Call } from '../command.ts'
import { usage } from '../options.ts'
import type { Progress } from './progress.ts'
import { Resources } from './resources.ts'

const styles = ['auto', 'tty', 'plain', 'json', 'quiet'] as const

/** By --progress, COMPOSE_PROGRESS, or what stderr is. */
export async function progressOf({ globals, env, screen }: Call, plan: Plan, live = true): Promise<Progress> {
  const asked = globals.progress ?? (env['COMPOSE_PROGRESS'] || 'auto')
  const style = styles.find(each => each === asked)
  if (!style) throw usage(`Cannot use COMPOSE_PROGRESS "${asked}": it is one of ${styles.join(', ')}`)
  // A list that is longer than the screen cannot be redrawn in place.
  const fits =
    plan.nodes.length + plan.running.length < (screen.stderr.rows ?? 0) ||
    new Resources(plan).all.length < (screen.stderr.rows ?? 0) - 1
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
