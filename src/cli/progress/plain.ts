/** One line a resource, when it is finished: quiet enough for the log of a build. */
import { printable } from '../../lib/text.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Paint, Screen } from '../screen.ts'
import type { Progress } from './progress.ts'
import { type Resource, Resources, took } from './resources.ts'

const marks = { done: ['green', '✓'], failed: ['red', '✗'], skipped: ['dim', '-'] } as const

export function plainProgress(screen: Screen, plan: Plan, now: () => number = Date.now): Progress {
  const resources = new Resources(plan)
  const width = Math.max(...resources.all.map(each => each.label.length))
  const paint = screen.paintStatus
  return {
    tell(event) {
      if (event.kind === 'warning') return screen.warn(printable(`${event.node.operation.name}: ${event.text}`))
      const { resource, finished } = resources.take(event, now())
      if (finished) screen.say(plainLine(resource, width, paint))
    },
    async end() {},
  }
}

/** A finished resource as a line: "✓ container shop-web-1  started 0.4s". */
export function plainLine(resource: Resource, width: number, paint: Paint): string {
  const [style, mark] = marks[resource.state === 'done' || resource.state === 'failed' ? resource.state : 'skipped']
  const line = `${paint(style, mark)} ${printable(resource.label).padEnd(width)}  ${resource.text}`
  const time = took(resource)
  return time === '' || resource.state !== 'done' ? line : `${line} ${paint('dim', time)}`
}
