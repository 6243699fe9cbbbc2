/** A line for each thing that is begun and done, as Docker Compose writes them: ` Container shop-web-1  Started`. */
import type { ApplyEvent } from '../../apply/events.ts'
import { printable } from '../../lib/text.ts'
import type { NodeId, PlannedOperation, Vocabulary } from '../../plan/operation.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Paint, Screen, Style } from '../screen.ts'
import { BuildLines } from './build-lines.ts'
import type { Progress } from './progress.ts'
import { type Resource, Resources } from './resources.ts'

export interface Clock {
  now(): number
  /** Calls now and then until the result is called. */
  every(milliseconds: number, call: () => void): () => void
}

const realClock: Clock = {
  now: Date.now,
  every(milliseconds, call) {
    const timer = setInterval(call, milliseconds)
    return () => clearInterval(timer)
  },
}

/** Whoever waits for longer is told every so often for what. */
const patience = 10_000

export function plainProgress(screen: Screen, plan: Plan, clock: Clock = realClock): Progress {
  const resources = new Resources(plan)
  const waits = new Waits(screen, clock, plan.words)
  const builds = new BuildLines(screen, plan)
  for (const { label, state, text } of resources.all)
    if (state === 'done') screen.say(lineOf(label, text, screen.paintStatus))
  return {
    tell(event) {
      if (event.kind === 'build') return builds.take(event)
      waits.take(event)
      // what is said of the image comes after its steps
      if (event.kind !== 'started') builds.flush()
      if (event.kind === 'warning') return screen.warn(printable(event.text))
      const { resource, line } = resources.take(event, clock.now())
      if (line !== undefined) screen.say(lineOf(resource.label, line, screen.paintStatus))
    },
    async end() {
      waits.end()
    },
  }
}

/** " Container shop-db-1  Waiting for db to be healthy (12 s)". */
class Waits {
  readonly #screen: Screen
  readonly #clock: Clock
  readonly #words: Vocabulary<PlannedOperation>
  readonly #open = new Map<NodeId, { readonly text: string; readonly name: string; readonly since: number }>()
  #stop: (() => void) | undefined

  constructor(screen: Screen, clock: Clock, words: Vocabulary<PlannedOperation>) {
    this.#screen = screen
    this.#clock = clock
    this.#words = words
  }

  take({ kind, node }: ApplyEvent): void {
    const text = this.#words.waitText(node.operation)
    if (text === undefined) return
    if (kind === 'started') {
      this.#open.set(node.id, {
        text,
        name: node.operation.name,
        since: this.#clock.now(),
      })
      this.#stop ??= this.#clock.every(patience, () => this.#say())
    } else if (kind !== 'warning') {
      this.#open.delete(node.id)
      if (this.#open.size === 0) this.end()
    }
  }

  end(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  #say(): void {
    for (const { text, name, since } of this.#open.values()) {
      const seconds = Math.round((this.#clock.now() - since) / 1000)
      this.#screen.say(lineOf(`Container ${name}`, `${text} (${seconds} s)`, this.#screen.paintStatus))
    }
  }
}

/** A resource and what is said of it. */
export function lineOf(label: string, text: string, paint: Paint): string {
  const style: Style | undefined = text === 'Error' ? 'red' : /ed$|^Running$|^Healthy$/.test(text) ? 'green' : undefined
  return ` ${printable(label)}  ${style === undefined ? text : paint(style, text)}`
}

/** A resource as it stands. */
export function plainLine(resource: Resource, paint: Paint): string {
  return lineOf(resource.label, resource.text, paint)
}
