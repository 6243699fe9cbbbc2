/** Where an image is pulled from: the mirrors of its registry, then the registry itself; a blob is taken up where one broke off. */
import type { IncomingMessage } from 'node:http'
import { debug } from '../../../lib/debug.ts'
import { Failure, isFailure, messageOf } from '../../../lib/failure.ts'
import type { RegistryAuth } from '../auth.ts'
import type { Digest } from '../digest.ts'
import type { Reference } from '../reference.ts'
import { type FetchedManifest, Repository } from './repository.ts'
import { Retry } from './retry.ts'
import { mirrorsOf, type RegistrySettings } from './settings.ts'
import { readBody } from './transport.ts'

const log = debug('registry')

export interface DownloadOptions {
  readonly signal: AbortSignal
  /** It broke off, and is tried again after so many seconds. */
  readonly onWait?: ((seconds: number) => void) | undefined
}

export class PullSource {
  readonly #all: readonly Repository[]
  /** The one that had the manifest. */
  #chosen: Repository

  constructor(reference: Reference, auth: RegistryAuth | undefined, settings: RegistrySettings) {
    const mirrors = mirrorsOf(reference.domain, settings)
    this.#all = [
      ...mirrors.map(mirror => new Repository({ reference, settings, action: 'pull', mirror })),
      new Repository({ reference, settings, action: 'pull', auth }),
    ]
    this.#chosen = this.#origin
  }

  get #origin(): Repository {
    return this.#all.at(-1)!
  }

  /** "registry 127.0.0.1:5000": who sent what is being read. */
  get name(): string {
    return this.#chosen.name
  }

  /** Of the first that has it; what the registry itself says counts when none has. */
  async manifest(which: string, signal: AbortSignal): Promise<FetchedManifest> {
    return await this.#first(async repository => {
      const found = await repository.manifest(which, signal)
      this.#chosen = repository
      return found
    })
  }

  /** Of the first that tells them: a mirror, where the registry itself cannot be reached. */
  async tags(signal: AbortSignal): Promise<readonly string[]> {
    return await this.#first(repository => repository.tags(signal))
  }

  /** A small blob, whole; not verified. */
  async document(digest: Digest, limit: number, signal: AbortSignal): Promise<Buffer> {
    const { patience } = this.#origin.settings
    return await this.#each(signal, async repository =>
      readBody(await repository.blob(digest, signal), { limit, from: repository.name, patience }),
    )
  }

  /**
   * A blob's bytes; not verified. When a connection breaks it goes on where it was, with the next source when one has nothing to give.
   * @throws Failure `unavailable` when it has got nothing new for too long.
   */
  async *download(
    digest: Digest,
    size: number,
    { signal, onWait }: DownloadOptions,
  ): AsyncGenerator<Buffer, void, undefined> {
    const order = [this.#chosen, ...this.#all.filter(each => each !== this.#chosen)]
    const retry = new Retry(this.#origin.settings, signal)
    let offset = 0
    for (let source = order.shift()!; ; ) {
      try {
        for await (const chunk of bytesFrom(source, digest, offset, signal)) {
          offset += chunk.length
          retry.advanced()
          yield chunk
        }
        return
      } catch (error) {
        if (signal.aborted || isFailure(error, 'cancelled')) throw error
        const next = isFailure(error, 'unavailable') ? undefined : order.shift()
        if (next !== undefined) source = next
        // all that was announced is here: the caller says whether it is right
        else if (offset >= size && size > 0) return
        else await retry.after(error, { onWait })
      }
    }
  }

  async #first<T>(ask: (repository: Repository) => Promise<T>): Promise<T> {
    for (const repository of this.#all) {
      try {
        return await ask(repository)
      } catch (error) {
        if (repository === this.#origin || isFailure(error, 'cancelled')) throw error
        log(`${repository.name} passed over: ${messageOf(error)}`)
      }
    }
    throw new Failure('internal', 'Cannot pull: there is no registry')
  }

  async #each<T>(signal: AbortSignal, get: (repository: Repository) => Promise<T>): Promise<T> {
    const order = [this.#chosen, ...this.#all.filter(each => each !== this.#chosen)]
    for (const [i, repository] of order.entries()) {
      try {
        return await get(repository)
      } catch (error) {
        if (i === order.length - 1 || signal.aborted || isFailure(error, 'cancelled')) throw error
        log(`${repository.name} passed over: ${messageOf(error)}`)
      }
    }
    throw new Failure('internal', 'Cannot pull: there is no registry')
  }
}

async function* bytesFrom(
  repository: Repository,
  digest: Digest,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const response = await repository.blob(digest, signal, offset)
  let skip = offset
  if (response.statusCode === 206) {
    if (startOf(response) !== offset) {
      response.destroy()
      throw new Failure('unavailable', `Cannot read from ${repository.name}: it sent another part than was asked for`)
    }
    skip = 0
  }
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const rest = skip === 0 ? chunk : chunk.subarray(skip)
      skip -= chunk.length - rest.length
      if (rest.length > 0) yield rest
    }
  } catch (cause) {
    if (isFailure(cause)) throw cause
    throw new Failure('unavailable', `Cannot read from ${repository.name}: ${messageOf(cause)}`, {
      cause,
      hint: 'Pull again',
    })
  }
}

/** Of "bytes 100-199/200". */
function startOf({ headers }: IncomingMessage): number | undefined {
  const start = /^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1]
  return start === undefined ? undefined : Number(start)
}
