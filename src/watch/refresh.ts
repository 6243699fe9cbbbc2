/** Asks for the images of a stack that is watched as often as pull_policy says; that one is another by then the engine tells, as of any pull. */
import type { Client } from '../client/client.ts'
import { messageOf } from '../lib/failure.ts'
import { printable } from '../lib/text.ts'
import type { Project } from '../model/project.ts'
import type { EnginePlan } from '../targets/engine/engine-plan.ts'
import { observe } from '../targets/engine/observe.ts'
import { intervalImages, refreshing } from '../targets/engine/plan/refresh.ts'

export interface RefreshOptions {
  readonly client: Client
  readonly project: Project
  /** Those that are to run; undefined: all. */
  readonly services: readonly string[] | undefined
  /** Resolves when nobody has the stack for themselves, or the signal fires. */
  free(signal: AbortSignal): Promise<void>
  pull(plan: EnginePlan, signal: AbortSignal): Promise<void>
  /** One line, for the log or the screen. */
  note(text: string): void
}

/** A registry that cannot be reached is asked again after so many ms, where the policy does not say earlier. */
const again = 5 * 60_000
/** Never more often, in ms; */
const shortest = 1000
/** nor is anything waited for longer at once, since a timer cannot. */
const longest = 24 * 3_600_000

/** What is asked for again of a project, as text: the same as long as that is the same. Empty: nothing. */
export function refreshKey(project: Project, services: readonly string[] | undefined): string {
  const images = [...intervalImages(project, services)].map(([name, { interval }]) => [name, interval])
  return images.length === 0 ? '' : JSON.stringify(images.sort())
}

export class Refresh {
  readonly #options: RefreshOptions
  readonly #closing = new AbortController()
  /** Image → not before, in milliseconds since 1970: engines do not all tell when one was asked for and found the same. */
  readonly #notBefore = new Map<string, number>()
  #error: string | undefined
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> = Promise.resolve()

  constructor(options: RefreshOptions) {
    this.#options = options
  }

  open(): void {
    this.#working = this.#look()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    clearTimeout(this.#timer)
    await this.#working
  }

  async #look(): Promise<void> {
    const { signal } = this.#closing
    let next: number | undefined
    try {
      next = await this.#refresh(signal)
    } catch (error) {
      this.#tell(error)
      next = Date.now() + again
    }
    if (signal.aborted) return
    const wait = Math.max(shortest, Math.min(longest, (next ?? Number.POSITIVE_INFINITY) - Date.now()))
    this.#timer = setTimeout(() => this.open(), wait)
  }

  /** When it is to be looked next. */
  async #refresh(signal: AbortSignal): Promise<number | undefined> {
    const { client, project, services, free, pull } = this.#options
    const images = [...intervalImages(project, services).keys()]
    await free(signal)
    if (signal.aborted) return undefined
    const observed = await observe(client, project.name, { signal, images, containersOnly: true })
    const { plans, intervals, next } = refreshing({ project, observed, services, notBefore: this.#notBefore })
    let first = next
    for (const plan of plans) {
      const { name } = plan.nodes[0]!.operation
      const interval = intervals.get(name)! / 1e6
      let wait = interval
      try {
        await pull(plan, signal)
        this.#error = undefined
      } catch (error) {
        wait = Math.min(interval, again)
        this.#tell(error)
      }
      if (signal.aborted) return undefined
      const due = Date.now() + Math.max(shortest, wait)
      this.#notBefore.set(name, due)
      first = Math.min(first ?? due, due)
    }
    return first
  }

  /** What goes on is told once. */
  #tell(error: unknown): void {
    if (this.#closing.signal.aborted) return
    const text = messageOf(error)
    if (text !== this.#error) this.#options.note(printable(`pull_policy: ${text}`))
    this.#error = text
  }
}
