/** What a live list shows of a build below its image: the steps under way, those just done, and what the last command has printed. */
import { printable } from '../../lib/text.ts'
import type { Paint } from '../screen.ts'
import { partText } from './build-lines.ts'
import { type BuildStep, type BuildSteps, isInternal, stepTime } from './build-steps.ts'

export interface BuildRowsOptions {
  readonly paint: Paint
  readonly now: number
  /** Columns. */
  readonly width: number
  /** Rows at most. */
  readonly most: number
}

/** While it goes on; nothing once it is over. */
export function buildRows(steps: BuildSteps, { paint, now, width, most }: BuildRowsOptions): readonly string[] {
  const cut = (text: string) => {
    const line = printable(text)
    return line.length > width ? `${line.slice(0, width - 1)}…` : line
  }
  const shown = steps.all.filter(step => step.state !== 'waiting' && (step.state === 'running' || !isInternal(step)))
  // what runs counts more than what is over
  const running = shown.filter(step => step.state === 'running').slice(-most)
  const room = most - running.length
  const over = room > 0 ? shown.filter(step => step.state !== 'running').slice(-room) : []
  return shown
    .filter(step => running.includes(step) || over.includes(step))
    .flatMap(step => {
      const time = stepTime(step, now)
      const line = `${marks[step.state]} ${cut(`${step.name}${wordOf(step)}`)} ${time}`.trimEnd()
      const last = step.state === 'running' ? (step.tail.at(-1) ?? lastPart(step)) : undefined
      return [
        paint(step.state === 'failed' ? 'red' : 'dim', line),
        ...(last === undefined ? [] : [paint('dim', `    ${cut(last)}`)]),
      ]
    })
}

const marks: Readonly<Record<BuildStep['state'], string>> = {
  waiting: ' ',
  running: '→',
  done: '✔',
  cached: '✔',
  failed: '✖',
}

function wordOf(step: BuildStep): string {
  if (step.state === 'cached') return ' CACHED'
  return step.missed === undefined ? '' : ` (${step.missed})`
}

function lastPart(step: BuildStep): string | undefined {
  const part = [...step.parts.values()].findLast(each => each.completed === undefined)
  return part && partText(part)
}

/** "3 of 7 steps cached"; "" of a build that had none to tell of. */
export function cachedText(steps: BuildSteps): string {
  const own = steps.all.filter(step => step.state !== 'waiting' && /^\[.*\d+\/\d+\]/.test(step.name))
  const cached = own.filter(step => step.state === 'cached').length
  return own.length === 0 || cached === 0 ? '' : `${cached} of ${own.length} steps cached`
}
