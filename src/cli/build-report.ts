/** Why a build failed, for people: the place in the stack, the lines of the Dockerfile, what the command has printed last. */
import type { ApplyEvent } from '../apply/events.ts'
import type { FailedNode } from '../apply/plan-failure.ts'
import { BuildFailure } from '../client/buildkit/build-failure.ts'
import { printable } from '../lib/text.ts'
import type { NodeId } from '../plan/operation.ts'
import { dockerfileLines } from './dockerfile-lines.ts'
import { placeText } from './failures.ts'
import { type BuildStep, BuildSteps } from './progress/build-steps.ts'
import type { Paint, Screen } from './screen.ts'

export class BuildReport {
  readonly #builds = new Map<NodeId, BuildSteps>()

  take({ node, event }: ApplyEvent & { kind: 'build' }): void {
    const steps = this.#builds.get(node.id) ?? new BuildSteps()
    this.#builds.set(node.id, steps)
    if (event.kind === 'warning') return
    steps.take(event)
    if (event.kind === 'output') steps.lines(event)
  }

  /** What is worth to be seen before the sentences that say what failed. */
  print(screen: Screen, failed: readonly FailedNode[]): void {
    const paint = screen.paintStatus
    for (const { node, failure } of failed) {
      const { operation } = node
      if (operation.kind !== 'build-image') continue
      const steps = this.#builds.get(node.id)
      const reason = failure.cause instanceof BuildFailure ? failure.cause : undefined
      const step =
        (reason?.step === undefined ? undefined : steps?.get(reason.step)) ??
        steps?.all.find(each => each.state === 'failed' && each.error !== 'context canceled')
      if (step) for (const line of outputOf(steps!, step, paint)) screen.say(line)
      const place = operation.place()
      if (place) screen.say(`${paint('cyan', placeText(place))} ${paint('bold', `service ${operation.services[0]}`)}`)
      if (reason?.source) for (const line of dockerfileLines(reason.source, paint)) screen.say(line)
    }
  }
}

function outputOf(steps: BuildSteps, step: BuildStep, paint: Paint): readonly string[] {
  steps.rest(step)
  if (step.tail.length === 0) return []
  return [
    paint('bold', `Last output of ${printable(step.name)}:`),
    ...step.tail.slice(-20).map(line => `  ${printable(line)}`),
  ]
}
