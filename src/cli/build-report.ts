/** Why a build failed, for people: the place in the stack, the lines of the Dockerfile, what the command has printed last. */
import type { ApplyEvent } from '../apply/events.ts'
import type { FailedNode } from '../apply/plan-failure.ts'
import { BuildFailure } from '../client/buildkit/build-failure.ts'
import type { SourceLines } from '../client/buildkit/events.ts'
import type { Place } from '../lib/problems.ts'
import { printable } from '../lib/text.ts'
import type { NodeId } from '../plan/operation.ts'
import type { Operation } from '../targets/engine/operation.ts'
import { dockerfileLines } from './dockerfile-lines.ts'
import { placeText } from './failures.ts'
import { BuildSteps } from './progress/build-steps.ts'
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

  /** What is worth to be seen before the sentences that say what failed; `json`: an object for each, as its progress. */
  print(screen: Screen, failed: readonly FailedNode[], { json }: { readonly json: boolean }): void {
    for (const each of failed) {
      if (each.node.operation.kind !== 'build-image') continue
      const broken = this.#broken(each)
      if (json) screen.say(JSON.stringify({ event: 'build-failed', node: each.node.id, ...broken }))
      else for (const line of linesOf(broken, screen.paintStatus)) screen.say(line)
    }
  }

  #broken({ node, failure }: FailedNode): Broken {
    const operation = node.operation as Operation & { kind: 'build-image' }
    const steps = this.#builds.get(node.id)
    const reason = failure.cause instanceof BuildFailure ? failure.cause : undefined
    const step =
      (reason?.step === undefined ? undefined : steps?.get(reason.step)) ??
      steps?.all.find(each => each.state === 'failed' && each.error !== 'context canceled')
    if (step) steps!.rest(step)
    return {
      service: operation.services[0]!,
      place: operation.place(),
      step: step?.name,
      output: step?.tail.slice(-20) ?? [],
      source: reason?.source,
    }
  }
}

interface Broken {
  readonly service: string
  readonly place: Place | undefined
  /** The step that failed, and the last lines it has printed. */
  readonly step: string | undefined
  readonly output: readonly string[]
  readonly source: SourceLines | undefined
}

function linesOf({ service, place, step, output, source }: Broken, paint: Paint): readonly string[] {
  return [
    ...(step !== undefined && output.length > 0 ? [paint('bold', `Last output of ${printable(step)}:`)] : []),
    ...output.map(line => `  ${printable(line)}`),
    ...(place ? [`${paint('cyan', placeText(place))} ${paint('bold', `service ${service}`)}`] : []),
    ...(source ? dockerfileLines(source, paint) : []),
  ]
}
