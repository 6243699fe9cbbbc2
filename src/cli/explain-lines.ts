/** What `explain` shows, as lines: steps, sentences under what they are about, rights beside what is usual. */
import { printable } from '../lib/text.ts'
import type { Right } from '../view/explain/security.ts'
import { type About, abouts, type Fact } from '../view/explain/steps.ts'
import type { Located } from './explain-places.ts'
import type { Paint } from './screen.ts'

export interface ShownStep {
  readonly phase: string
  readonly text: string
  readonly cause: string
  /** Where in the stack the cause stands. */
  readonly place: string | undefined
  readonly field: string | undefined
}

export type ShownFact = Fact & { readonly place: string | undefined; readonly field: string | undefined }

/** Ids are cut short here; JSON has them whole. */
function short(text: string): string {
  return printable(text).replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1…')
}

function why({ cause, place, field }: Omit<ShownStep, 'phase' | 'text'>): string {
  return place === undefined ? cause : `${place} ${field}`
}

export function stepLines(steps: readonly ShownStep[], paint: Paint): readonly string[] {
  const number = String(steps.length).length
  const texts = steps.map(step => short(step.text))
  const width = Math.min(72, Math.max(0, ...texts.map(text => text.length)))
  return steps.map((step, i) => {
    const head = `${String(i + 1).padStart(number)} ${paint(step.phase === 'host' ? 'magenta' : 'blue', step.phase.padEnd(5))} ${texts[i]!.padEnd(width)}`
    return why(step) === '' ? head.trimEnd() : `${head}  ${paint('dim', `# ${printable(why(step))}`)}`
  })
}

const headings: Readonly<Record<About, string>> = {
  limits: 'Limits',
  network: 'Network',
  root: 'Root file system',
  mounts: 'Mounts',
  isolation: 'Isolation',
  process: 'Process',
}

/** Causes stand below long sentences, beside short ones. */
export function factLines(facts: readonly ShownFact[], paint: Paint): readonly string[] {
  const width = Math.min(64, Math.max(0, ...facts.map(({ text }) => short(text).length)))
  return abouts.flatMap(about => {
    const own = facts.filter(fact => fact.about === about)
    if (own.length === 0) return []
    return [
      '',
      paint('bold', headings[about]),
      ...own.flatMap(fact => {
        const text = short(fact.text)
        const cause = paint('dim', `# ${printable(why(fact))}`)
        return text.length > width ? [`  ${text}`, `    ${cause}`] : [`  ${text.padEnd(width)}  ${cause}`]
      }),
    ]
  })
}

/** What differs from the usual is marked, with the usual and the line of the stack below it. */
export function rightLines(rights: readonly (Right & Located)[], paint: Paint): readonly string[] {
  const width = Math.max(...rights.map(({ topic }) => topic.length))
  return rights.flatMap(({ topic, now, usual, place, field }) => {
    const head = `${usual === undefined ? ' ' : paint('yellow', '*')} ${topic.padEnd(width)}  ${short(now)}`
    if (usual === undefined) return [head]
    const from = place === undefined ? '' : `  ${paint('dim', `# ${printable(`${place} ${field}`)}`)}`
    return [head, `  ${' '.repeat(width)}  usually ${usual}${from}`]
  })
}
