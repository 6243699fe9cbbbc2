/** What one container prints, over all its runs: no line twice, none lost where one reading ends and the next begins. */
import { containerEndpoints } from '../../../api/containers.ts'
import type { Client } from '../../../client/client.ts'
import { isFailure, messageOf } from '../../../lib/failure.ts'
import { type Line, readLog, splitLines } from './log-lines.ts'

export interface OutputOptions {
  readonly signal: AbortSignal
  /** Lines of its past; undefined: all. */
  readonly tail: number | undefined
  /** Seconds since 1970. */
  readonly since: number | undefined
  readonly until: number | undefined
  /** When nothing of it is kept, listen to what it prints from now on. */
  readonly listen: boolean
  /** The time of the last line that was read already, RFC 3339. */
  readonly last?: string | undefined
}

export class Output {
  readonly #client: Client
  readonly #id: string
  readonly #options: OutputOptions
  readonly #push: (line: Line) => Promise<void>
  readonly #unreadable: (why: string) => Promise<void>
  /** The time of the last line that was given on. */
  #last: string | undefined
  #reading: Promise<void> = Promise.resolve()
  #first = true
  /** Somebody listens to the run that the next `read` is meant for. */
  #covered = false

  constructor(
    client: Client,
    id: string,
    options: OutputOptions,
    to: { readonly push: (line: Line) => Promise<void>; readonly unreadable: (why: string) => Promise<void> },
  ) {
    this.#client = client
    this.#id = id
    this.#options = options
    this.#last = options.last
    this.#push = to.push
    this.#unreadable = to.unreadable
  }

  /** Reads to the end of its present run, once what is being read has ended; of an earlier run nothing before `later` (seconds). */
  read(later: number): void {
    if (this.#covered) {
      this.#covered = false
      return
    }
    const { since, tail, last } = this.#options
    // some ms before what was read already: an engine counts a second's fraction as it likes
    const from = last === undefined ? since : Date.parse(last) / 1000 - 0.01
    const first = { since: nanoseconds(from), tail: last === undefined ? tail : undefined }
    const query = this.#first ? first : { since: nanoseconds(later), tail: undefined }
    this.#first = false
    this.#next(() => this.#copy(query))
  }

  /** Resolves when everything of the runs so far has been given on. */
  get ended(): Promise<void> {
    return this.#reading
  }

  /** Listens to what it prints from now on; to be awaited before its start. */
  async attach(): Promise<void> {
    const listening = await this.#listen()
    this.#covered = true
    this.#next(listening)
  }

  #next(work: () => Promise<void>): void {
    this.#reading = this.#reading.then(work)
    // told to whoever waits for `ended`
    this.#reading.catch(() => undefined)
  }

  async #copy({ since, tail }: { readonly since: bigint | undefined; readonly tail: number | undefined }) {
    const { signal, until, listen } = this.#options
    // with times always: by them a line that was read before is known
    const query = { follow: true, tail, since, until: nanoseconds(until), timestamps: true }
    const before = this.#last
    try {
      for await (const line of readLog(this.#client, this.#id, { query, signal })) {
        if (before !== undefined && line.time !== undefined && line.time <= before) continue
        this.#last = line.time
        await this.#push(line)
      }
    } catch (error) {
      // removed while it was read
      if (isFailure(error, 'not-found') || signal.aborted) return
      // its logging driver keeps nothing
      if (!isFailure(error, 'unsupported')) throw error
      if (listen) await this.#listenNow()
      else await this.#unreadable(messageOf(error))
    }
  }

  /** In the middle of a run; one that has ended by now would never say a word, nor close. */
  async #listenNow(): Promise<void> {
    const over = new AbortController()
    const listening = await this.#listen(AbortSignal.any([this.#options.signal, over.signal]))
    const { State } = await this.#client.call(containerEndpoints.containerInspect, { params: { id: this.#id } })
    if (!State.Running) over.abort()
    await listening()
  }

  async #listen(signal = this.#options.signal): Promise<() => Promise<void>> {
    const query = { stream: true, stdout: true, stderr: true }
    const params = { id: this.#id }
    const { output, socket } = await this.#client.hijack(
      containerEndpoints.containerAttach,
      { params, query },
      { signal },
    )
    return async () => {
      try {
        for await (const { stream, text } of splitLines(output)) await this.#push({ stream, text, time: undefined })
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        socket.destroy()
      }
    }
  }
}

export function nanoseconds(seconds: number | undefined): bigint | undefined {
  return seconds === undefined ? undefined : BigInt(Math.round(seconds * 1e6)) * 1000n
}
