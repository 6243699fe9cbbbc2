/** The watch of an attached `up`: from its start on, or by a key of its menu, until the same key ends it. */
import type { Project } from '../model/project.ts'
import type { Follower } from '../targets/engine/logs/follow.ts'
import type { Watched } from './watching.ts'

export interface AttachedWatchOptions {
  readonly follower: Follower
  /** A line of the watch itself. */
  say(line: string): void
  /** What a key has begun does not work. */
  failed(error: unknown): void
  /** Takes the place of whoever watches the project. @throws Failure `conflict` when somebody does */
  take(): Promise<Watched>
}

export class AttachedWatch implements AsyncDisposable {
  readonly #options: AttachedWatchOptions
  #watched: Watched | undefined
  #closed = false
  #turn: Promise<void> = Promise.resolve()

  constructor(options: AttachedWatchOptions) {
    this.#options = options
  }

  /** As its files said last. */
  get project(): Project | undefined {
    return this.#watched?.watch.project
  }

  /** Nobody else watches it from now on. @throws Failure `conflict` */
  async take(): Promise<void> {
    this.#watched = await this.#options.take()
  }

  /** @throws Failure for what cannot be watched */
  async start(): Promise<void> {
    await this.#watched?.watch.start()
    this.#options.say('Watch enabled')
  }

  /** What the key does: one press after the other. */
  toggle(): void {
    this.#turn = this.#turn.then(() => this.#toggled()).catch(error => this.#options.failed(error))
  }

  async #toggled(): Promise<void> {
    if (this.#closed) return
    if (this.#watched) {
      await this.#leave()
      this.#options.say('Watch disabled')
      return
    }
    await this.take()
    try {
      await this.#options.follower.stay(true)
      await this.start()
    } catch (error) {
      await this.#leave()
      throw error
    }
  }

  async #leave(): Promise<void> {
    const watched = this.#watched
    this.#watched = undefined
    await watched?.[Symbol.asyncDispose]()
    // what has ended meanwhile may have been the last
    await this.#options.follower.stay(false)
  }

  /** Changes nothing any more; it keeps its place until it is disposed of. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#turn
    await this.#watched?.watch.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
    await this.#watched?.[Symbol.asyncDispose]()
  }
}
