/** A line for each thing that happens in a build, as BuildKit's plain progress writes them: `#5 [web 2/3] RUN npm ci`, `#5 CACHED`, `#5 DONE 0.3s`. */
import type { ApplyEvent } from '../../apply/events.ts'
import type { BuildEvent } from '../../client/buildkit/events.ts'
import { printable } from '../../lib/text.ts'
import { formatBytes } from '../../lib/units.ts'
import type { NodeId } from '../../plan/operation.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Screen } from '../screen.ts'
import { type BuildPart, type BuildStep, BuildSteps, nameWithin, stepTime } from './build-steps.ts'
import { warningText } from './build-warning.ts'

type OfBuild = ApplyEvent & { kind: 'build' }

/** A part that goes on for longer is told so often, in ms. */
const patience = 5000
/** A step that is over within this may go on: BuildKit looks at a source before it reads it. */
const glance = 1

export class BuildLines {
  readonly #screen: Screen
  readonly #several: boolean
  readonly #builds = new Map<NodeId, BuildSteps>()
  /** Numbers, in the order of their starts, over all builds. */
  readonly #numbers = new Map<string, number>()
  /** What has been said of a step: its start, why it missed, its end. */
  readonly #said = new Map<string, Set<string>>()
  readonly #told = new Map<string, number>()
  readonly #held = new Map<string, { readonly since: number; readonly say: () => void }>()

  constructor(screen: Screen, plan: Plan) {
    this.#screen = screen
    this.#several = plan.nodes.filter(({ operation }) => operation.kind === 'build-image').length > 1
  }

  take({ node, event }: OfBuild): void {
    if (event.kind === 'warning') {
      this.#screen.warn(printable(warningText(event)))
      return
    }
    const steps = this.#builds.get(node.id) ?? new BuildSteps()
    this.#builds.set(node.id, steps)
    const { operation } = node
    const service = this.#several && operation.kind === 'build-image' ? operation.services?.[0] : undefined
    this.#tell(steps, event, { key: `${node.id} ${event.step}`, service })
  }

  /** What was waited with, for so long: ms; all of it at the end of a build. */
  flush(since = 0): void {
    for (const [key, held] of this.#held)
      if (Date.now() - held.since >= since) {
        this.#held.delete(key)
        held.say()
      }
  }

  #tell(
    steps: BuildSteps,
    event: Exclude<BuildEvent, { kind: 'warning' }>,
    { key, service }: { readonly key: string; readonly service: string | undefined },
  ): void {
    const step = steps.take(event)
    if (step.state === 'waiting') return
    const said = this.#said.get(key) ?? new Set()
    this.#said.set(key, said)
    this.#held.delete(key)
    this.flush(30)
    const number = this.#numbers.get(key) ?? this.#numbers.size + 1
    this.#numbers.set(key, number)
    const say = (text: string) => this.#screen.say(`#${number} ${printable(text)}`)
    const once = (what: string, text: string) => {
      if (said.has(what)) return
      said.add(what)
      say(text)
    }
    once('start', nameWithin(step.name, service))
    if (step.missed !== undefined) once('missed', `not cached: ${step.missed}`)
    if (event.kind === 'output') for (const line of steps.lines(event)) say(`${sinceStart(step, event.at)} ${line}`)
    if (event.kind === 'part') this.#part(`${key} ${event.name}`, event, say)
    if (step.completed === undefined && step.state !== 'cached') return
    const finish = () => {
      for (const line of steps.rest(step)) say(`${sinceStart(step, step.completed ?? 0)} ${line}`)
      once('end', endOf(step))
    }
    if (step.state === 'done' && (step.completed ?? 0) - (step.started ?? 0) < glance && step.tail.length === 0)
      this.#held.set(key, { since: Date.now(), say: finish })
    else finish()
  }

  /** Said at its end, and now and then while it goes on. */
  #part(key: string, part: BuildPart, say: (text: string) => void): void {
    const last = this.#told.get(key)
    if (last === Number.POSITIVE_INFINITY) return
    const now = Date.now()
    const over = part.completed !== undefined
    this.#told.set(key, over ? Number.POSITIVE_INFINITY : (last ?? now))
    if (over) say(`${partText(part)} done`)
    else if (last !== undefined && now - last >= patience) {
      this.#told.set(key, now)
      say(partText(part))
    }
  }
}

function endOf(step: BuildStep): string {
  if (step.state === 'cached') return 'CACHED'
  if (step.state === 'failed') return step.error === 'context canceled' ? 'CANCELED' : `ERROR: ${step.error}`
  return `DONE ${stepTime(step, 0)}`
}

function sinceStart({ started }: BuildStep, at: number): string {
  return Math.max(0, (at - (started ?? at)) / 1000).toFixed(3)
}

/** "transferring context: 2.1 MB", "sha256:… 3 MB / 10 MB". */
export function partText({ name, current, total }: BuildPart): string {
  const size =
    total > 0 ? ` ${formatBytes(current)} / ${formatBytes(total)}` : current > 0 ? ` ${formatBytes(current)}` : ''
  return `${name}${size}`
}
