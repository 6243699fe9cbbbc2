/** Builds that clients have given an id, so that another request can end them. */
import { Failure } from '../../lib/failure.ts'

export class NamedBuilds {
  readonly #running = new Map<string, AbortController>()

  /** @throws Failure `conflict` when it was cancelled, and whatever the build throws. */
  async run(id: string | undefined, signal: AbortSignal, build: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (!id) return await build(signal)
    const cancelled = new AbortController()
    this.#running.set(id, cancelled)
    try {
      await build(AbortSignal.any([signal, cancelled.signal]))
    } catch (error) {
      // Docker's words
      if (cancelled.signal.aborted) throw new Failure('conflict', 'context canceled', { cause: error })
      throw error
    } finally {
      if (this.#running.get(id) === cancelled) this.#running.delete(id)
    }
  }

  /** One that does not run, or no longer, is fine: the same as with Docker. @throws Failure `invalid` without an id. */
  cancel(id: string | undefined): void {
    if (!id) throw new Failure('invalid', 'build ID not provided')
    this.#running.get(id)?.abort()
  }
}
