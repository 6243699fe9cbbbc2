/** What a build tells → the lines of Docker's classic builder: one step after the other, though several may run at once. */
import type { Progress } from '../../../api/json-lines.ts'
import { shortId } from '../../../lib/ids.ts'
import type { Stage, Step } from '../dockerfile/plan.ts'
import { shownSteps, stepId, textOf } from '../event-ids.ts'
import type { BuildEvent } from '../events.ts'

interface Waiting {
  readonly text: string
  /** Undefined for what has no events: a base, or what only changes the configuration. */
  readonly id: string | undefined
}

const red = '\u001b[91m'
const plain = '\u001b[0m'

export class ClassicLines {
  readonly #onLine: (line: Progress) => void
  readonly #keepsContainers: boolean
  /** The one that the shown step runs in. */
  #container: string | undefined
  /** In the order of the Dockerfile. */
  #steps: readonly Waiting[] = []
  /** The one that is shown. */
  #at = -1
  readonly #held = new Map<string, BuildEvent[]>()

  /** `keepsContainers`: those of commands stay when they have ended. */
  constructor(onLine: (line: Progress) => void, keepsContainers: boolean) {
    this.#onLine = onLine
    this.#keepsContainers = keepsContainers
  }

  add(event: BuildEvent): void {
    if (event.kind === 'plan') {
      this.#steps = event.plan.stages.flatMap(stepsOf)
      this.#next()
    } else if ('id' in event) {
      if (event.id === this.#steps[this.#at]?.id) this.#show(event)
      else if (this.#steps.slice(this.#at + 1).some(({ id }) => id === event.id))
        this.#held.set(event.id, [...(this.#held.get(event.id) ?? []), event])
    }
  }

  /** All that was held back of steps that had begun, when there is no more to come. */
  flush(): void {
    while (this.#at < this.#steps.length && this.#held.size > 0) this.#next()
  }

  /** On to the next one; those without events are over at once. */
  #next(): void {
    while (++this.#at < this.#steps.length) {
      const { text, id } = this.#steps[this.#at]!
      this.#say(`Step ${this.#at + 1}/${this.#steps.length} : ${text}\n`)
      if (id === undefined) continue
      const held = this.#held.get(id) ?? []
      this.#held.delete(id)
      // with its end, the next one is on
      for (const event of held) this.#show(event)
      return
    }
  }

  #show(event: BuildEvent): void {
    switch (event.kind) {
      case 'cached':
        this.#say(' ---> Using cache\n')
        break
      case 'missed':
        this.#say(` ---> Not cached: ${event.reason}\n`)
        break
      case 'running':
        this.#container = event.container
        this.#say(` ---> Running in ${shortId(event.container)}\n`)
        break
      case 'output': {
        const text = Buffer.from(event.data).toString('utf8')
        this.#say(event.stream === 'stderr' ? `${red}${text}${plain}` : text)
        break
      }
      case 'completed':
        if (event.error !== undefined) break
        if (this.#container !== undefined && !this.#keepsContainers)
          this.#say(` ---> Removed intermediate container ${shortId(this.#container)}\n`)
        this.#container = undefined
        this.#next()
    }
  }

  #say(stream: string): void {
    this.#onLine({ stream })
  }
}

function stepsOf(stage: Stage): readonly Waiting[] {
  const shown: readonly Step[] = shownSteps(stage)
  return [
    { text: stage.text, id: undefined },
    ...stage.steps.map(step => ({
      text: textOf(step),
      id: step.kind === 'config' ? undefined : stepId(stage, shown.indexOf(step)),
    })),
  ]
}
