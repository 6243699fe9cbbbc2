/** Builds under way, by the name that their client gave them: one call starts it, others watch it, or are its frontend. */
import type { solveRequest } from '../../api/buildkit/control.ts'
import type { Of } from '../../api/buildkit/message.ts'
import { Failure } from '../../lib/failure.ts'
import type { Image } from '../images/image.ts'
import { StatusLog } from './status-log.ts'

/** What a frontend has made: an image, or only words (`--check`). */
export interface JobResult {
  readonly image: Image | undefined
  readonly metadata: ReadonlyMap<string, Uint8Array>
}

export interface Job {
  readonly request: Of<typeof solveRequest>
  readonly status: StatusLog
  /** Fires when the build is over, or its client has left. */
  readonly signal: AbortSignal
  /** Results by their ids. */
  readonly results: Map<string, JobResult>
  /** The name of a Dockerfile's text, for whoever warns of it. */
  dockerfile: { readonly name: string; readonly text: string } | undefined
  /** Images that are there for this build alone. */
  readonly loose: Image[]
  /** Of what was built, when that can be known again. */
  receipt: string | undefined
  /** What a frontend on the client's side says in the end. */
  readonly returned: PromiseWithResolvers<JobResult>
  /** Of the build itself, when it failed. */
  failure: unknown
}

/** Other calls of a client may be here before the one that starts the build. */
const patience = 10_000
/** So long, and so many of them, the status of a build is kept that is over: one that fails at once may be over before anybody asks. */
const kept = 30_000
const mostKept = 50
const mostJobs = 500
const longestRef = 256

export class Jobs {
  readonly #byRef = new Map<string, Job>()
  readonly #over = new Map<string, StatusLog>()
  readonly #waiting = new Map<string, Set<(job: Job) => void>>()

  /**
   * Runs a build under its name; the name is free again afterwards.
   * @throws Failure `invalid` for a name that is none, `conflict` for one that is taken.
   */
  async run<T>(request: Of<typeof solveRequest>, signal: AbortSignal, work: (job: Job) => Promise<T>): Promise<T> {
    const { ref } = request
    if (ref === '' || ref.length > longestRef) throw new Failure('invalid', 'Cannot build without a name for the build')
    if (this.#byRef.has(ref)) throw new Failure('conflict', `job ID ${ref} exists`)
    if (this.#byRef.size >= mostJobs) throw new Failure('conflict', `Cannot build: ${mostJobs} builds are under way`)
    const over = new AbortController()
    const job: Job = {
      request,
      status: new StatusLog(ref, () => job.dockerfile),
      signal: AbortSignal.any([signal, over.signal]),
      results: new Map(),
      loose: [],
      receipt: undefined,
      returned: Promise.withResolvers(),
      dockerfile: undefined,
      failure: undefined,
    }
    // whoever waits for it is told by the work
    job.returned.promise.catch(() => {})
    this.#byRef.set(ref, job)
    this.#over.delete(ref)
    for (const resolve of this.#waiting.get(ref) ?? []) resolve(job)
    try {
      return await work(job)
    } finally {
      job.status.end()
      over.abort(new Failure('cancelled', 'the build is over'))
      this.#byRef.delete(ref)
      this.#keep(ref, job.status)
    }
  }

  /** Whether a build of this name is under way, or was lately. */
  knows(ref: string): boolean {
    return this.#byRef.has(ref) || this.#over.has(ref)
  }

  /** Of a build under way, or of one that was lately. @throws Failure `not-found` when no such build comes. */
  async status(ref: string, signal: AbortSignal): Promise<StatusLog> {
    return this.#over.get(ref) ?? (await this.get(ref, signal)).status
  }

  /** @throws Failure `not-found` when no such build comes. */
  async get(ref: string, signal: AbortSignal): Promise<Job> {
    const found = this.#byRef.get(ref)
    if (found) return found
    const settled = Promise.withResolvers<Job>()
    const waiting = this.#waiting.get(ref) ?? new Set()
    this.#waiting.set(ref, waiting.add(settled.resolve))
    const fail = () => settled.reject(new Failure('not-found', `no such job ${ref}`))
    const timer = setTimeout(fail, patience)
    signal.addEventListener('abort', fail, { once: true })
    if (signal.aborted) fail()
    try {
      return await settled.promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', fail)
      waiting.delete(settled.resolve)
      if (waiting.size === 0) this.#waiting.delete(ref)
    }
  }

  #keep(ref: string, status: StatusLog): void {
    this.#over.set(ref, status)
    const forget = () => {
      if (this.#over.get(ref) === status) this.#over.delete(ref)
    }
    setTimeout(forget, kept).unref()
    const [oldest] = this.#over.keys()
    if (this.#over.size > mostKept) this.#over.delete(oldest!)
  }
}
