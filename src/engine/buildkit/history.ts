/**
 * Builds under way and those that were, as `docker buildx history` asks for them. What was told of one is a file, and stays when the engine
 * ends; nothing else depends on it, so it is lost without harm.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type control, historyRecord, statusResponse } from '../../api/buildkit/control.ts'
import { statusOf } from '../../api/buildkit/grpc-status.ts'
import type { From, Of } from '../../api/buildkit/message.ts'
import { timestampOf } from '../../api/buildkit/operations.ts'
import { errnoOf, Failure, messageOf } from '../../lib/failure.ts'
import type { Say } from '../base/aside.ts'
import type { Job } from './jobs.ts'

type HistoryRecord = From<typeof historyRecord>
type Asked = Of<typeof control.listenBuildHistory.request>
type HistoryEvent = From<typeof control.listenBuildHistory.response>

/** Kinds of events. (moby.buildkit.v1.BuildHistoryEventType) */
const [started, complete, deleted] = [0, 1, 2]

/** Builds, as many as BuildKit keeps, and bytes of what was told of one: beyond, what commands have printed goes. */
const mostKept = 50
const largest = 8 * 1024 * 1024

export interface HistoryOptions {
  /** Made when there is something to keep. */
  readonly folder: string
  readonly say: Say
}

export class BuildHistory {
  readonly #options: HistoryOptions
  readonly #active = new Map<object, HistoryRecord>()
  #over: Promise<Map<string, HistoryRecord>> | undefined
  readonly #listeners = new Set<(event: HistoryEvent) => void>()

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  begin(job: Pick<Job, 'request'>): void {
    const { ref, frontend, frontendAttributes, exporters, internal } = job.request
    if (internal) return
    const record = { ref, frontend, frontendAttributes, exporters, createdAt: timestampOf(Date.now()) }
    this.#active.set(job, record)
    this.#tell({ type: started, record })
  }

  /** With what the client was answered, or why it was not. */
  async end(job: Pick<Job, 'request' | 'status'>, answer: Answer): Promise<void> {
    const { request, status } = job
    const begun = this.#active.get(job)
    if (begun === undefined) return
    const record: HistoryRecord = {
      ...begun,
      ...status.counts,
      completedAt: timestampOf(Date.now()),
      ...(answer.error === undefined ? { exporterResponse: answer.response } : { error: statusOf(answer.error) }),
    }
    try {
      await this.#keep(request.ref, record, status.whole())
    } catch (error) {
      this.#options.say(`Cannot keep the history of a build: ${messageOf(error)}`)
    }
    this.#active.delete(job)
    this.#tell({ type: complete, record })
  }

  /** What there is and, unless that is enough, what comes. @throws Failure `unsupported` for filters. */
  async *listen(
    { activeOnly, ref, earlyExit, filter, limit }: Asked,
    signal: AbortSignal,
  ): AsyncGenerator<HistoryEvent> {
    if (filter.length > 0)
      throw new Failure(
        'unsupported',
        `Cannot filter the history of builds by "${filter[0]}": only by the id of a build`,
      )
    const next: HistoryEvent[] = []
    let wake = (): void => {}
    const listener = (event: HistoryEvent): void => {
      next.push(event)
      wake()
    }
    const left = (): void => wake()
    if (!earlyExit) this.#listeners.add(listener)
    signal.addEventListener('abort', left)
    try {
      const isAsked = (event: HistoryEvent) =>
        (ref === '' || event.record?.ref === ref) && !(activeOnly && event.type !== started)
      const over = await this.#records()
      const all = [
        ...[...over.values()].map(record => ({ type: complete, record })),
        ...[...this.#active.values()].map(record => ({ type: started, record })),
      ].filter(isAsked)
      // they are among these
      next.length = 0
      yield* limit > 0 ? all.slice(-limit) : all
      while (!earlyExit && !signal.aborted) {
        yield* next.splice(0).filter(isAsked)
        if (next.length === 0 && !signal.aborted) await new Promise<void>(resolve => (wake = resolve))
      }
    } finally {
      this.#listeners.delete(listener)
      signal.removeEventListener('abort', left)
    }
  }

  /** All that was told of a build that is over; undefined when it is not known. */
  async status(ref: string): Promise<From<typeof statusResponse> | undefined> {
    if (!(await this.#records()).has(ref)) return undefined
    return statusResponse.decode(await readFile(`${this.#path(ref)}.status`))
  }

  /** @throws Failure `not-found`. */
  async update({ ref, pinned, delete: isDeleted }: Of<typeof control.updateBuildHistory.request>): Promise<void> {
    const records = await this.#records()
    const record = records.get(ref)
    if (record === undefined) throw new Failure('not-found', `failed to find build record ${ref}`)
    if (isDeleted) {
      await this.#forget(records, ref)
      this.#tell({ type: deleted, record: { ref } })
    } else if (record.pinned !== pinned) {
      const changed = { ...record, pinned }
      await this.#write(`${this.#path(ref)}.record`, historyRecord.encode(changed))
      records.set(ref, changed)
      this.#tell({ type: complete, record: changed })
    }
  }

  async #keep(ref: string, record: HistoryRecord, status: From<typeof statusResponse>): Promise<void> {
    const records = await this.#records()
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 })
    const whole = statusResponse.encode(status)
    const data = whole.length <= largest ? whole : statusResponse.encode({ ...status, logs: [] })
    await this.#write(`${this.#path(ref)}.status`, data)
    await this.#write(`${this.#path(ref)}.record`, historyRecord.encode(record))
    records.set(ref, record)
    for (const [old, { pinned }] of records) {
      if (records.size <= mostKept) break
      if (!pinned) await this.#forget(records, old)
    }
  }

  async #write(path: string, data: Uint8Array): Promise<void> {
    await writeFile(`${path}.part`, data, { mode: 0o600 })
    await rename(`${path}.part`, path)
  }

  /** Its record first: without it nothing is known of the other. */
  async #forget(records: Map<string, HistoryRecord>, ref: string): Promise<void> {
    records.delete(ref)
    for (const end of ['record', 'status']) await rm(`${this.#path(ref)}.${end}`, { force: true })
  }

  /** Those that are over, the oldest first. */
  #records(): Promise<Map<string, HistoryRecord>> {
    return (this.#over ??= this.#load())
  }

  async #load(): Promise<Map<string, HistoryRecord>> {
    const { folder, say } = this.#options
    const names = await readdir(folder).catch((error: unknown): string[] => {
      if (errnoOf(error) === 'ENOENT') return []
      throw error
    })
    const found: HistoryRecord[] = []
    for (const name of names) {
      const path = join(folder, name)
      const [hex, end] = name.split('.')
      if (end === 'record' && name === `${hex}.record`)
        try {
          found.push(historyRecord.decode(await readFile(path)))
          continue
        } catch (error) {
          say(`Cannot read the history of a build, which is removed: ${messageOf(error)}`)
        }
      // half of one that was being written or removed
      if (name !== `${hex}.status` || !names.includes(`${hex}.record`)) await rm(path, { force: true, recursive: true })
    }
    const begun = ({ createdAt }: HistoryRecord) => (createdAt?.seconds ?? 0) + (createdAt?.nanos ?? 0) / 1e9
    found.sort((a, b) => begun(a) - begun(b))
    return new Map(found.map(record => [record.ref ?? '', record]))
  }

  /** A client chooses the name. */
  #path(ref: string): string {
    return join(this.#options.folder, createHash('sha256').update(ref).digest('hex'))
  }

  #tell(event: HistoryEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

type Answer =
  | { readonly response: ReadonlyMap<string, string>; readonly error?: undefined }
  | { readonly error: unknown; readonly response?: undefined }
