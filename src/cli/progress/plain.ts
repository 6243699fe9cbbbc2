/** One line a resource, when it is finished: quiet enough for the log of a build. */
import { printable } from '../../lib/text.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Screen } from '../screen.ts'
import type { Progress } from './progress.ts'
import { Resources, took } from './resources.ts'

const marks = { done: ['green', '✓'], failed: ['red', '✗'], skipped: ['dim', '-'] } as const

/** "✓ container shop-web-1 started 0.4s"; what is merely skipped is not worth a line when something failed. */
export function plainProgress(screen: Screen, plan: Plan, now: () => number = () => performance.now()): Progress {
  const resources = new Resources(plan)
  const width = Math.max(...resources.all.map(each => each.label.length))
  const paint = screen.paintStatus
  return {
    tell(event) {
      if (event.kind === 'warning') return screen.warn(printable(`${event.node.operation.name}: ${event.text}`))
      const { resource, finished } = resources.take(event, now())
      if (!finished || resource.state === 'working' || resource.state === 'waiting') return
      const [style, mark] = marks[resource.state]
      const time = took(resource)
      const line = `${paint(style, mark)} ${printable(resource.label).padEnd(width)}  ${resource.text}`
      screen.say(time === '' || resource.state !== 'done' ? line : `${line} ${paint('dim', time)}`)
    },
    async end() {},
  }
}
