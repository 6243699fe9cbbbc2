/** What is said of what became of things, in Docker Compose's words: scripts look for them. */
import type { Outcome } from '../../apply/events.ts'
import type { Kept } from '../../plan/plan.ts'

const outcomes: Readonly<Record<Outcome, string>> = {
  healthy: 'Healthy',
  exited: 'Exited',
  running: 'Running',
  unready: 'Not ready',
  'in-use': 'Resource is still in use',
}

export function keptWord(state: Kept['state']): string {
  return state === 'running' ? 'Running' : 'Stopped'
}

export function outcomeWord(outcome: Outcome): string {
  return outcomes[outcome]
}
