/** Contexts that come by a request of their own, beside the one that builds: the two find one another by the id of the build. (docker build - of clients before buildx) */
import { Failure } from '../../lib/failure.ts'

export interface Upload extends Disposable {
  readonly body: AsyncIterable<Uint8Array>
}

interface Meeting {
  readonly body: PromiseWithResolvers<AsyncIterable<Uint8Array>>
  readonly taken: PromiseWithResolvers<void>
  /** As far as anybody wants. */
  readonly read: PromiseWithResolvers<void>
}

/** Either side waits so long for the other, milliseconds. (moby) */
const patience = 5000
const mostWaiting = 100

export class Uploads {
  /** Those at which one side waits. */
  readonly #meetings = new Map<string, Meeting>()

  /** Resolves when the build has read it. @throws Failure `not-found` when no build asks for it. */
  async give(id: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const meeting = this.#meet(id)
    meeting.body.resolve(body)
    await this.#wait(id, meeting.taken.promise, signal)
    await meeting.read.promise
  }

  /** Until it is disposed of. @throws Failure `not-found` when it does not come. */
  async take(id: string, signal: AbortSignal): Promise<Upload> {
    const meeting = this.#meet(id)
    meeting.taken.resolve()
    const body = await this.#wait(id, meeting.body.promise, signal)
    return { body, [Symbol.dispose]: () => meeting.read.resolve() }
  }

  #meet(id: string): Meeting {
    if (id === '') throw new Failure('invalid', 'Cannot build from an upload: the build has no id')
    const known = this.#meetings.get(id)
    // whoever comes second ends the waiting
    if (known && this.#meetings.delete(id)) return known
    if (this.#meetings.size >= mostWaiting)
      throw new Failure('conflict', `Cannot build from an upload: ${mostWaiting} are waited for`)
    const [body, taken, read] = [
      Promise.withResolvers<AsyncIterable<Uint8Array>>(),
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
    ]
    const meeting = { body, taken, read }
    this.#meetings.set(id, meeting)
    return meeting
  }

  async #wait<T>(id: string, other: Promise<T>, signal: AbortSignal): Promise<T> {
    const over = Promise.withResolvers<never>()
    const late = () =>
      over.reject(new Failure('not-found', `Cannot build from an upload: nobody else names build "${id}"`))
    const left = () => over.reject(new Failure('cancelled', 'the client has left'))
    const timer = setTimeout(late, patience)
    signal.addEventListener('abort', left, { once: true })
    if (signal.aborted) left()
    try {
      return await Promise.race([other, over.promise])
    } catch (error) {
      this.#meetings.delete(id)
      throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', left)
    }
  }
}
