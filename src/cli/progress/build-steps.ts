/** BuildEvents → what has become of each step of a build, in the order in which they were first heard of. */
import type { BuildEvent } from '../../client/buildkit/events.ts'

export interface BuildStep {
  readonly id: string
  name: string
  state: 'waiting' | 'running' | 'done' | 'cached' | 'failed'
  started: number | undefined
  completed: number | undefined
  /** Why it was not taken from the cache, when the builder says so. */
  missed: string | undefined
  error: string | undefined
  readonly parts: Map<string, BuildPart>
  /** The last lines it has printed, whole ones. */
  readonly tail: string[]
  /** The line it is printing. */
  open: string
}

export type BuildPart = BuildEvent & { kind: 'part' }
type StepEvent = BuildEvent & { kind: 'step' }

/** Lines that are kept of a step, for when it fails. */
const tailLines = 30
/** A line without an end is cut here. */
const maxLine = 4096

export class BuildSteps {
  readonly #steps = new Map<string, BuildStep>()
  readonly #decoders = new Map<string, InstanceType<typeof TextDecoder>>()

  get all(): readonly BuildStep[] {
    return [...this.#steps.values()]
  }

  get(id: string): BuildStep | undefined {
    return this.#steps.get(id)
  }

  /** The step it is about. */
  take(event: Exclude<BuildEvent, { kind: 'warning' }>): BuildStep {
    const step = this.#step(event.step)
    if (event.kind === 'step') become(step, event)
    else if (event.kind === 'part') step.parts.set(event.name, event)
    return step
  }

  /** Whole lines that have come with it. */
  lines({ step: id, stream, data }: BuildEvent & { kind: 'output' }): readonly string[] {
    const step = this.#step(id)
    const key = `${id} ${stream}`
    const decoder = this.#decoders.get(key) ?? new TextDecoder()
    this.#decoders.set(key, decoder)
    const lines = (step.open + decoder.decode(data, { stream: true })).split('\n')
    step.open = lines.pop()!.slice(0, maxLine)
    // what a progress bar writes over again counts as it stands last
    return this.#keep(
      step,
      lines.map(line => line.replace(/\r$/, '').replace(/^.*\r/s, '').slice(0, maxLine)),
    )
  }

  /** What it has printed last without an end of line. */
  rest(step: BuildStep): readonly string[] {
    const { open } = step
    step.open = ''
    return open === '' ? [] : this.#keep(step, [open])
  }

  #keep(step: BuildStep, lines: readonly string[]): readonly string[] {
    step.tail.push(...lines)
    step.tail.splice(0, Math.max(0, step.tail.length - tailLines))
    return lines
  }

  #step(id: string): BuildStep {
    const found = this.#steps.get(id)
    if (found) return found
    const step: BuildStep = {
      id,
      name: '',
      state: 'waiting',
      started: undefined,
      completed: undefined,
      missed: undefined,
      error: undefined,
      parts: new Map(),
      tail: [],
      open: '',
    }
    this.#steps.set(id, step)
    return step
  }
}

function become(step: BuildStep, event: StepEvent): void {
  const { name, cached, missed, started, completed, error } = event
  if (name !== '') step.name = name
  if (missed !== undefined) step.missed = missed
  // one that goes on after it seemed over counts from its first start
  if (started !== undefined) step.started = Math.min(step.started ?? started, started)
  step.completed = completed
  step.error = error
  if (error !== undefined) step.state = 'failed'
  else if (cached) step.state = 'cached'
  else if (completed !== undefined) step.state = 'done'
  else if (started !== undefined) step.state = 'running'
}

/** Of a builder's own steps, which say little once they are over. */
export function isInternal({ name }: BuildStep): boolean {
  return name.startsWith('[internal]') || /^\[context [^\]]+\] load \.dockerignore$/.test(name)
}

/** "[web internal] load …", "[web] exporting to image": of which of several builds it is. */
export function nameWithin(name: string, service: string | undefined): string {
  if (service === undefined) return name
  return name.startsWith('[') ? `[${service} ${name.slice(1)}` : `[${service}] ${name}`
}

/** "0.4s", of a step that has started. */
export function stepTime({ started, completed }: BuildStep, now: number): string {
  return started === undefined ? '' : `${Math.max(0, ((completed ?? now) - started) / 1000).toFixed(1)}s`
}
