/** A live list on the terminal, by listr2: a row a resource, with what is happening to it. */
import { setImmediate } from 'node:timers/promises'
import type { ApplyEvent } from '../../apply/events.ts'
import { printable } from '../../lib/text.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Screen } from '../screen.ts'
import { buildRows, cachedText } from './build-rows.ts'
import { BuildSteps } from './build-steps.ts'
import { warningText } from './build-warning.ts'
import { plainLine } from './plain.ts'
import type { Progress } from './progress.ts'
import { type Resource, Resources, took } from './resources.ts'

interface Row {
  readonly resource: Resource
  readonly settled: PromiseWithResolvers<void>
  /** Rewrites its title, once listr2 shows it. */
  show: () => void
  /** Of an image that is built. */
  steps: BuildSteps | undefined
}

/** Loads listr2 while the first operations already run; on a small plan it appears with the answers in. */
export function tasksProgress(screen: Screen, plan: Plan, now: () => number = Date.now): Progress {
  const resources = new Resources(plan)
  const rows = new Map<Resource, Row>(
    resources.all.map(resource => [
      resource,
      { resource, settled: Promise.withResolvers<void>(), show: () => {}, steps: undefined },
    ]),
  )
  for (const row of rows.values()) row.settled.promise.catch(() => undefined)
  const warnings: string[] = []
  let over = false
  let ticking: NodeJS.Timeout | undefined
  const shown = showRows(screen, [...rows.values()], () => over)
  return {
    tell(event) {
      if (event.kind === 'warning') warnings.push(printable(event.text))
      const { resource, finished } = resources.take(event, now())
      // what a failed update adds is of the same things
      const row = rows.get(resource)
      if (!row) return
      if (event.kind === 'build') {
        takeBuild(row, event.event, warnings)
        ticking ??= setInterval(() => showBuilt(rows.values()), tick)
      }
      row.show()
      // one that is left as it is has not failed
      if (finished && resource.state !== 'failed') row.settled.resolve()
      else if (finished) row.settled.reject(new Error(resource.text))
    },
    async end() {
      // What was not told about, or only for its being there, ends here, or the list would never.
      for (const { settled } of rows.values()) settled.resolve()
      over = true
      clearInterval(ticking)
      await shown
      for (const warning of warnings) screen.warn(warning)
    },
  }
}

/** How often what takes its time is shown anew, in ms. */
const tick = 500

function takeBuild(row: Row, event: (ApplyEvent & { kind: 'build' })['event'], warnings: string[]): void {
  row.steps ??= new BuildSteps()
  if (event.kind === 'warning') warnings.push(printable(warningText(event)))
  else {
    row.steps.take(event)
    if (event.kind === 'output') row.steps.lines(event)
  }
}

function showBuilt(rows: Iterable<Row>): void {
  for (const row of rows) if (row.steps && row.resource.state === 'working') row.show()
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
  const title = ({ resource, steps }: Row) => {
    const more = steps && resource.state === 'done' ? cachedText(steps) : ''
    const text = `${resource.text} ${took(resource)}${more === '' ? '' : ` (${more})`}`
    const head = `${printable(resource.label).padEnd(width)}  ${screen.paintStatus('dim', text)}`.trimEnd()
    if (!steps || resource.state === 'done') return head
    const room = {
      width: (stream.columns ?? 80) - 20,
      most: Math.max(2, Math.floor((stream.rows ?? 24) / (rows.length + 1)) - 2),
    }
    return [head, ...buildRows(steps, { paint: screen.paintStatus, now: Date.now(), ...room })].join('\n')
  }
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
