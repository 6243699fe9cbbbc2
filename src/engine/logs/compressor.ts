/** The logs whose rotated files are compressed: looked after while their containers run, and once for those that do not. */
import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import PQueue from 'p-queue'
import { messageOf } from '../../lib/failure.ts'
import { compressRotated } from './compress.ts'
import type { LogFollower } from './log-follower.ts'

export interface CompressTarget {
  /** Of the container. */
  readonly id: string
  readonly name: string
  readonly path: string
  /** Settles when nothing more will be written. */
  readonly ended: Promise<unknown>
  /** Where the one is who sends the log on, if it is sent. */
  readonly sentFrom: (() => number | undefined) | undefined
}

/** Where the system grants no watch, in milliseconds. */
const patience = 30_000

export class Compressor {
  readonly #say: (line: string) => void
  /** One file after the other: there is no hurry, and each takes a CPU. */
  readonly #queue = new PQueue({ concurrency: 1 })
  readonly #running = new Map<string, Care>()
  readonly #followers = new Map<string, Set<LogFollower>>()

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  /** From here on, and what was rotated before. */
  begin(target: CompressTarget): void {
    const before = this.#running.get(target.id)
    before?.stop()
    const readers = () => this.#readers(target)
    const pass = (signal: AbortSignal) => this.#queue.add(() => compressRotated(target.path, { readers, signal }))
    const care = new Care(target, { pass, say: this.#say })
    this.#running.set(target.id, care)
    void care.done.then(() => {
      if (this.#running.get(target.id) === care) this.#running.delete(target.id)
    })
  }

  /** Somebody reads on from file to file: what is before them stays as it is until they say that they are done. */
  reading(path: string, follower: LogFollower): () => void {
    const followers = this.#followers.get(path) ?? new Set()
    this.#followers.set(path, followers.add(follower))
    return () => {
      followers.delete(follower)
      if (followers.size === 0) this.#followers.delete(path)
    }
  }

  #readers({ path, sentFrom }: CompressTarget): readonly number[] {
    const followed = [...(this.#followers.get(path) ?? [])].map(({ inode }) => inode)
    // nothing sent yet: nothing has been passed
    const sent = sentFrom ? [sentFrom() ?? Number.NaN] : []
    return [...followed.filter(inode => inode !== undefined), ...sent]
  }

  /** Its log is about to go. */
  async removed(id: string): Promise<void> {
    const care = this.#running.get(id)
    care?.stop()
    await care?.done
  }

  async close(): Promise<void> {
    for (const care of this.#running.values()) care.stop()
    await Promise.all([...this.#running.values()].map(({ done }) => done))
  }
}

interface CareOptions {
  readonly pass: (signal: AbortSignal) => Promise<unknown>
  readonly say: (line: string) => void
}

/** Of one log. */
class Care {
  readonly #target: CompressTarget
  readonly #options: CareOptions
  readonly #stopping = new AbortController()
  #wake = Promise.withResolvers<void>()
  #over = false
  #told = false
  /** Never rejects. */
  readonly done: Promise<void>

  constructor(target: CompressTarget, options: CareOptions) {
    this.#target = target
    this.#options = options
    const end = () => {
      this.#over = true
      this.#wake.resolve()
    }
    target.ended.then(end, end)
    this.done = this.#run()
  }

  stop(): void {
    this.#stopping.abort()
    this.#wake.resolve()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const timer = setInterval(() => this.#wake.resolve(), patience).unref()
    const watcher = this.#watch()
    try {
      while (!signal.aborted) {
        const last = this.#over
        // set before looking: what is rotated from now on is told
        this.#wake = Promise.withResolvers()
        await this.#pass()
        if (last) return
        if (this.#over || signal.aborted) continue
        await this.#wake.promise
      }
    } finally {
      watcher?.close()
      clearInterval(timer)
    }
  }

  async #pass(): Promise<void> {
    try {
      await this.#options.pass(this.#stopping.signal)
      this.#told = false
    } catch (error) {
      if (!this.#told) this.#options.say(`Cannot compress the log of "${this.#target.name}": ${messageOf(error)}`)
      this.#told = true
    }
  }

  /** A new file appears beside the log, or takes its place, when it is rotated. */
  #watch(): FSWatcher | undefined {
    const { path } = this.#target
    const name = basename(path)
    try {
      const watcher = watch(dirname(path), (event, file) => {
        if (event === 'rename' && file === name) this.#wake.resolve()
      })
      watcher.on('error', () => undefined)
      return watcher
    } catch {
      // no watch to be had, or no folder: the timer looks
      return undefined
    }
  }
}
