/** Folders of a client for the time of one build, each in a mirror of its own. */
import { Failure } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import type { WantedFiles } from '../build/request.ts'
import type { Mirror, Mirrors } from './mirrors.ts'
import { receiveFiles } from './receive-files.ts'
import type { ClientSession } from './sessions.ts'

export interface SessionFilesOptions {
  readonly mirrors: Mirrors
  readonly signal: AbortSignal
  /** The session that has a folder. */
  session(folder: string): Promise<ClientSession>
}

export class SessionFiles implements AsyncDisposable {
  readonly #options: SessionFilesOptions
  readonly #folders = new Map<string, Promise<HostPath>>()
  readonly #held: Mirror[] = []
  #over = false

  constructor(options: SessionFilesOptions) {
    this.#options = options
  }

  /** The same question has the same answer, for as long as the build lasts. */
  folder(name: string, wanted: WantedFiles): Promise<HostPath> {
    const key = JSON.stringify([name, wanted.exclude, wanted.follow])
    const known = this.#folders.get(key)
    if (known) return known
    const received = this.#receive(name, wanted)
    this.#folders.set(key, received)
    return received
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true
    await Promise.allSettled(this.#folders.values())
    for (const mirror of this.#held) await mirror.release()
  }

  async #receive(name: string, { exclude, follow, onProgress }: WantedFiles): Promise<HostPath> {
    const session = await this.#options.session(name)
    // what is taken for a few files only is no copy of the folder
    const mirror = await this.#options.mirrors.acquire(session.sharedKey, JSON.stringify([name, ...follow]))
    this.#held.push(mirror)
    if (this.#over) throw new Failure('cancelled', 'the build has ended')
    const signal = AbortSignal.any([this.#options.signal, session.left])
    try {
      await receiveFiles(session, { name, exclude, follow }, { mirror, signal, onProgress })
    } catch (error) {
      if (session.left.aborted) throw new Failure('cancelled', 'the client has left', { cause: error })
      throw error
    }
    return mirror.root
  }
}
