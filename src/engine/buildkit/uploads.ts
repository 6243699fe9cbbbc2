/** Contexts that come by a request of their own, beside the one that builds: the two find one another by the id of the build. (docker build - of clients before buildx) */
import { Failure } from '../../lib/failure.ts'

export interface Upload extends Disposable {
  readonly body: AsyncIterable<Uint8Array>
}

type Side = 'upload' | 'build'

interface Meeting {
  /** Who came first. */
  readonly waiting: Side
  readonly body: PromiseWithResolvers<AsyncIterable<Uint8Array>>
  readonly taken: PromiseWithResolvers<void>
  /** As far as anybody wants. */
  readonly read: PromiseWithResolvers<void>
}

/** Either side waits so long for the other, milliseconds. (moby) */
const patience = 5000
const mostWaiting = 100

export class Uploads {
  /** Those at which one side waits, in the order in which they came; of one id all wait on the same side. */
  readonly #meetings = new Map<string, readonly Meeting[]>()

  /** Resolves when the build has read it. @throws Failure `not-found` when no build asks for it. */
  async give(id: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const meeting = this.#meet(id, 'upload')
    meeting.body.resolve(body)
    await this.#wait(id, meeting, meeting.taken.promise, signal)
    await meeting.read.promise
  }

  /** Until it is disposed of. @throws Failure `not-found` when it does not come. */
  async take(id: string, signal: AbortSignal): Promise<Upload> {
    const meeting = this.#meet(id, 'build')
    meeting.taken.resolve()
    const body = await this.#wait(id, meeting, meeting.body.promise, signal)
    return { body, [Symbol.dispose]: () => meeting.read.resolve() }
  }

  #meet(id: string, side: Side): Meeting {
    if (id === '') throw new Failure('invalid', 'Cannot build from an upload: the build has no id')
    const known = this.#meetings.get(id) ?? []
    const [first] = known
    // whoever comes second ends the waiting
    if (first && first.waiting !== side) {
      this.#leave(id, first)
      return first
    }
    const count = [...this.#meetings.values()].reduce((sum, { length }) => sum + length, 0)
    if (count >= mostWaiting)
      throw new Failure('conflict', `Cannot build from an upload: ${mostWaiting} are waited for`)
    const meeting: Meeting = {
      waiting: side,
      body: Promise.withResolvers(),
      taken: Promise.withResolvers(),
      read: Promise.withResolvers(),
    }
    this.#meetings.set(id, [...known, meeting])
    return meeting
  }

  #leave(id: string, meeting: Meeting): void {
    const left = (this.#meetings.get(id) ?? []).filter(each => each !== meeting)
    if (left.length > 0) this.#meetings.set(id, left)
    else this.#meetings.delete(id)
  }

  async #wait<T>(id: string, meeting: Meeting, other: Promise<T>, signal: AbortSignal): Promise<T> {
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
      this.#leave(id, meeting)
      throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', left)
    }
  }
}
