/** Threads that unpack and sum, as many as are of use, started when they are needed and let go when they are not. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Failure } from '../../lib/failure.ts'
import type { Digest } from './digest.ts'
import type { SumJob } from './sum.ts'
import type { FromThread, ToThread, UnpackFailure, UnpackJob, UnpackResult } from './unpack-job.ts'

/** More than there are processors: files are waited for as well. */
export const mostThreads = Math.min(8, Math.max(3, availableParallelism() * 2))
/** Bytes on their way to a thread. */
const window = 4 * 1024 * 1024
/** A thread without work is let go after this long, ms. */
const idle = 10_000

/** A layer that could not be unpacked; `blob` says what its bytes were, when all of them have been read. */
export class UnpackError extends Failure {
  readonly blob: UnpackFailure['blob']

  constructor({ kind, message, hint, blob }: UnpackFailure) {
    super(kind, message, hint === undefined ? {} : { hint })
    this.blob = blob
  }
}

export class UnpackPool {
  readonly #free: Thread[] = []
  readonly #waiting: ((thread: Thread) => void)[] = []
  #count = 0

  /**
   * Unpacks what `source` brings, in a thread of its own. @param onTaken called with the bytes that are done with.
   * @throws UnpackError, or what `source` throws; nothing is being written any more then.
   */
  async run(
    job: UnpackJob,
    source: AsyncIterable<Uint8Array>,
    onTaken: (total: number) => void = () => undefined,
  ): Promise<UnpackResult> {
    const thread = await this.#take()
    try {
      return await thread.run(job, source, onTaken)
    } finally {
      this.#give(thread)
    }
  }

  /** @throws the signal's reason; nothing is being read any more then. */
  async sum(job: SumJob, signal: AbortSignal): Promise<Digest> {
    signal.throwIfAborted()
    const thread = await this.#take()
    try {
      return await thread.sum(job, signal)
    } finally {
      this.#give(thread)
    }
  }

  async #take(): Promise<Thread> {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#count >= mostThreads) return await new Promise(resolve => this.#waiting.push(resolve))
    this.#count++
    return new Thread()
  }

  #give(thread: Thread): void {
    const next = this.#waiting.shift()
    if (thread.isDead) {
      if (next === undefined) this.#count--
      else next(new Thread())
    } else if (next !== undefined) next(thread)
    else {
      this.#free.push(thread)
      thread.rest(() => {
        this.#free.splice(this.#free.indexOf(thread), 1)
        this.#count--
      })
    }
  }
}

class Thread {
  readonly #worker = new Worker(new URL('./unpack-start.cjs', import.meta.url), { name: 'unpack' })
  isDead = false
  #timer: NodeJS.Timeout | undefined
  #hear: ((message: FromThread) => void) | undefined
  #fail: ((error: Error) => void) | undefined

  constructor() {
    // a thread at rest keeps nobody from ending
    this.#worker.unref()
    this.#worker.on('message', (message: FromThread) => this.#hear?.(message))
    const died = (cause: unknown) => {
      this.isDead = true
      this.#fail?.(new Failure('internal', 'Cannot unpack: the thread that did has ended', { cause }))
    }
    this.#worker.on('error', died)
    this.#worker.on('exit', died)
  }

  /** Calls `gone` and ends when nothing has come for a while. */
  rest(gone: () => void): void {
    this.#timer = setTimeout(() => {
      gone()
      this.#fail = undefined
      void this.#worker.terminate()
    }, idle).unref()
  }

  async run(
    job: UnpackJob,
    source: AsyncIterable<Uint8Array>,
    onTaken: (total: number) => void,
  ): Promise<UnpackResult> {
    clearTimeout(this.#timer)
    this.#worker.ref()
    const { promise, resolve, reject } = Promise.withResolvers<UnpackResult>()
    // it is awaited below, after what is being sent
    promise.catch(() => undefined)
    let taken = 0
    let sent = 0
    let ended = false
    let wake: (() => void) | undefined
    const settle = (act: () => void) => {
      ended = true
      act()
      wake?.()
    }
    this.#fail = error => settle(() => reject(error))
    this.#hear = message => {
      if (message.kind === 'taken') {
        taken += message.bytes
        onTaken(taken)
        wake?.()
      } else if (message.kind === 'done') settle(() => resolve(message.result))
      else if (message.kind === 'failed') settle(() => reject(new UnpackError(message.failure)))
    }
    try {
      this.#post({ kind: 'job', job })
      try {
        for await (const chunk of source) {
          // it has failed, and wants no more
          if (ended) break
          const data = new Uint8Array(chunk)
          // before it is handed over, after which it has none
          sent += data.length
          this.#post({ kind: 'chunk', data }, [data.buffer])
          while (sent - taken > window && !ended)
            await new Promise<void>(go => {
              wake = go
            })
        }
        if (!ended) this.#post({ kind: 'end' })
      } catch (error) {
        if (!ended) this.#post({ kind: 'abort' })
        // until it has said so it may still be writing
        await promise.catch(() => undefined)
        throw error
      }
      return await promise
    } finally {
      this.#hear = undefined
      this.#fail = undefined
      this.#worker.unref()
    }
  }

  async sum(job: SumJob, signal: AbortSignal): Promise<Digest> {
    clearTimeout(this.#timer)
    this.#worker.ref()
    const stop = () => this.#post({ kind: 'abort' })
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await new Promise<Digest>((resolve, reject) => {
        this.#fail = reject
        this.#hear = message => {
          if (message.kind === 'summed') resolve(message.digest)
          else if (message.kind === 'failed') reject(signal.aborted ? signal.reason : new UnpackError(message.failure))
        }
        this.#post({ kind: 'sum', job })
        if (signal.aborted) stop()
      })
    } finally {
      signal.removeEventListener('abort', stop)
      this.#hear = undefined
      this.#fail = undefined
      this.#worker.unref()
    }
  }

  #post(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }
}

/** Whether bytes that could not be unpacked were those that were promised. */
export function wereOthers(error: unknown, expected: { readonly digest: string; readonly size: number }) {
  if (!(error instanceof UnpackError)) return undefined
  const { blob } = error
  return blob !== undefined && (blob.digest !== expected.digest || blob.size !== expected.size) ? blob : undefined
}
