/** What was begun from a page: it goes on though the page be closed, and any page may look on, from its beginning. */
import { randomUUID } from 'node:crypto'
import { Failure, messageOf } from '../lib/failure.ts'
import type { JobMessage, JobRow } from './wire.ts'

/** That are kept when they have ended. */
const kept = 30
/** Messages of one job; what a long build prints beyond that is no longer told. */
const longest = 20_000

interface Job {
  row: JobRow
  readonly messages: JobMessage[]
  readonly listeners: Set<(message: JobMessage) => void>
}

export class Jobs {
  readonly #jobs = new Map<string, Job>()
  readonly #changed: (stack: string) => void

  /** `changed`: one has begun or ended on a stack. */
  constructor(changed: (stack: string) => void) {
    this.#changed = changed
  }

  /** The one that is at work on a stack. */
  of(stack: string): string | undefined {
    return [...this.#jobs.values()].find(({ row }) => row.stack === stack && row.ended === undefined)?.row.id
  }

  get rows(): readonly JobRow[] {
    return [...this.#jobs.values()].map(({ row }) => row)
  }

  /** @throws Failure `conflict` while another one is at work on the stack */
  begin(stack: string, title: string, work: (tell: (message: JobMessage) => void) => Promise<void>): JobRow {
    if (this.of(stack) !== undefined)
      throw new Failure('conflict', `Cannot ${title}: something else is being done to "${stack}" from here`, {
        hint: 'Wait until it has ended',
      })
    const row: JobRow = { id: randomUUID(), stack, title, begun: Date.now() }
    const job: Job = { row, messages: [], listeners: new Set() }
    this.#jobs.set(row.id, job)
    this.#forget()
    void this.#run(job, work)
    this.#changed(stack)
    return row
  }

  /** All of it so far, then what comes, until the result is called. @throws Failure `not-found` */
  follow(id: string, listener: (message: JobMessage) => void): () => void {
    const job = this.#jobs.get(id)
    if (!job) throw new Failure('not-found', 'Nothing of that is known any more')
    for (const message of job.messages) listener(message)
    job.listeners.add(listener)
    return () => job.listeners.delete(listener)
  }

  async #run(job: Job, work: (tell: (message: JobMessage) => void) => Promise<void>): Promise<void> {
    const tell = (message: JobMessage): void => {
      if (job.messages.length < longest || message.kind === 'ended') job.messages.push(message)
      for (const listener of job.listeners) listener(message)
    }
    let ended: Extract<JobMessage, { kind: 'ended' }> = { kind: 'ended' }
    try {
      await work(tell)
    } catch (error) {
      const hint = error instanceof Failure ? error.hint : undefined
      ended = { kind: 'ended', error: messageOf(error), ...(hint !== undefined && { hint }) }
    }
    const { error } = ended
    job.row = { ...job.row, ended: Date.now(), ...(error !== undefined && { error }) }
    tell(ended)
    this.#changed(job.row.stack)
  }

  #forget(): void {
    const ended = [...this.#jobs.values()].filter(({ row }) => row.ended !== undefined)
    for (const { row } of ended.slice(0, Math.max(0, ended.length - kept))) this.#jobs.delete(row.id)
  }
}
