/** The files of a stack that is watched: what changes in them is read, and told as another model. */
import type { ReadAgain } from '../api/keeper.ts'
import { messageOf } from '../lib/failure.ts'
import { thaw } from '../model/frozen.ts'
import type { Project } from '../model/project.ts'
import type { Bursts } from '../watch/bursts.ts'
import type { Paths } from '../watch/paths.ts'
import { readStack } from './read-stack.ts'

export interface StackFilesOptions {
  readonly again: ReadAgain
  /** As it was read last. */
  readonly project: Project
  /** What is read now, frozen, first and then whenever it, or what is in a file behind it, is another than before. */
  changed(read: unknown, files: readonly string[]): void
  /** Why it cannot be read, with the files that were looked at; undefined: it can be again. */
  failed(message: string | undefined): void
}

/** Long enough for an editor that writes in steps, in ms. */
const quiet = 100
const longest = 5000

export class StackFiles {
  readonly #options: StackFilesOptions
  readonly #closing = new AbortController()
  #defining: ReadonlySet<string> = new Set()
  #watched = ''
  /** What was told last. */
  #state = ''
  #paths: Paths | undefined
  #bursts: Bursts | undefined
  #opening: Promise<void> = Promise.resolve()
  #project: Project

  constructor(options: StackFilesOptions) {
    this.#options = options
    this.#project = options.project
  }

  /** What changed before it was watched is seen by reading once. */
  open(): void {
    this.#opening = this.#open().catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#options.failed(messageOf(error))
    })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#paths?.close()
    await Promise.all([this.#opening, this.#bursts?.close()])
  }

  async #open(): Promise<void> {
    const { Bursts } = await import('../watch/bursts.ts')
    if (this.#closing.signal.aborted) return
    this.#bursts = new Bursts({ quiet, longest, take: changed => this.#take(changed) })
    await this.#watch(this.#options.again.files)
    await this.#read()
  }

  async #take(changed: ReadonlySet<string>): Promise<void> {
    if ([...changed].some(path => this.#defining.has(path))) await this.#read()
  }

  async #read(): Promise<void> {
    const { again, changed, failed } = this.#options
    const { signal } = this.#closing
    try {
      const read = await readStack(again, signal)
      if (signal.aborted) return
      if (read.error !== undefined) {
        // the last good state, and what was looked for, so that its coming is seen
        await this.#watch([...again.files, ...read.files])
        failed(read.error)
        return
      }
      this.#project = thaw(read.project)
      await this.#watch(read.files)
      failed(undefined)
      const { fileState } = await import('../watch/file-state.ts')
      const state = fileState({ project: this.#project, files: read.files })
      if (signal.aborted || state === this.#state) return
      this.#state = state
      changed(read.project, read.files)
    } catch (error) {
      if (!signal.aborted) failed(messageOf(error))
    }
  }

  async #watch(files: readonly string[]): Promise<void> {
    const [{ definingFiles }, { Paths }] = await Promise.all([import('../watch/files.ts'), import('../watch/paths.ts')])
    if (this.#closing.signal.aborted) return
    this.#defining = definingFiles({ project: this.#project, files })
    const paths = [...this.#defining].sort()
    const watched = JSON.stringify(paths)
    if (watched === this.#watched) return
    const before = this.#paths
    this.#paths = new Paths(
      paths.map(path => ({ path, deep: false })),
      {
        changed: path => this.#bursts?.push(path),
        skips: () => true,
        failed: error => this.#options.failed(error.message),
      },
    )
    this.#watched = watched
    before?.close()
  }
}
