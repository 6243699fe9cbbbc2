/** A live list on the terminal, by listr2: a row a resource, with what is happening to it. */
import { setImmediate } from 'node:timers/promises'
import { printable } from '../../lib/text.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Screen } from '../screen.ts'
import { plainLine } from './plain.ts'
import type { Progress } from './progress.ts'
import { type Resource, Resources, took } from './resources.ts'

interface Row {
  readonly resource: Resource
  readonly settled: PromiseWithResolvers<void>
  /** Rewrites its title, once listr2 shows it. */
  show: () => void
}

/** Loads listr2 while the first operations already run; on a small plan it appears with the answers in. */
export function tasksProgress(screen: Screen, plan: Plan, now: () => number = Date.now): Progress {
  const resources = new Resources(plan)
  const rows = new Map<Resource, Row>(
    resources.all.map(resource => [resource, { resource, settled: Promise.withResolvers<void>(), show: () => {} }]),
  )
  for (const row of rows.values()) row.settled.promise.catch(() => undefined)
  const warnings: string[] = []
  let over = false
  const shown = showRows(screen, [...rows.values()], () => over)
  return {
    tell(event) {
      if (event.kind === 'warning') warnings.push(printable(event.text))
      const { resource, finished } = resources.take(event, now())
      const row = rows.get(resource)!
      row.show()
      // one that is left as it is has not failed
      if (finished && resource.state !== 'failed') row.settled.resolve()
      else if (finished) row.settled.reject(new Error(resource.text))
    },
    async end() {
      // What was not told about, or only for its being there, ends here, or the list would never.
      for (const { settled } of rows.values()) settled.resolve()
      over = true
      await shown
      for (const warning of warnings) screen.warn(warning)
    },
  }
}

async function showRows(screen: Screen, rows: readonly Row[], isOver: () => boolean): Promise<void> {
  // a tick first: the operations are to be on their way before the import takes the thread
  await setImmediate()
  const { Listr, ListrLogger, ProcessOutput } = await import('listr2')
  if (isOver()) {
    // all was done while it loaded: nothing is left to animate
    for (const { resource } of rows) if (resource.text !== '') screen.say(plainLine(resource, screen.paintStatus))
    return
  }
  const stream = screen.status as NodeJS.WriteStream
  const width = Math.max(...rows.map(row => row.resource.label.length))
  const title = ({ resource }: Row) =>
    `${printable(resource.label).padEnd(width)}  ${screen.paintStatus('dim', `${resource.text} ${took(resource)}`)}`.trimEnd()
  const list = new Listr(
    rows.map(row => ({
      title: title(row),
      task: (_: unknown, task: { title: string }) => {
        row.show = () => {
          task.title = title(row)
        }
        row.show()
        return row.settled.promise
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      // it would end the process at ^C, in the middle of a container's stop
      registerSignalListeners: false,
      renderer: 'default',
      rendererOptions: {
        // status goes to stderr, so that stdout is data only
        logger: new ListrLogger({ processOutput: new ProcessOutput(stream, stream) }),
        collapseErrors: false,
        // the failure itself is printed last, whole
        showErrorMessage: false,
      },
    },
  )
  await list.run()
}
