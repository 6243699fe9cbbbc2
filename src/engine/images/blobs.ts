/** Bytes by their digest: configurations, manifests and layers as they were received, verified before they get their name. */
import { createHash, randomUUID } from 'node:crypto'
import { renameSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errnoOf, Failure } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { fileBytes } from '../base/file-bytes.ts'
import type { Paths } from '../base/paths.ts'
import { spaceFailure } from '../base/space.ts'
import { type Digest, digestOf, hexOf } from './digest.ts'

export interface Received {
  readonly digest: Digest
  readonly size: number
  /** Where it is, not yet part of the store. */
  readonly path: HostPath
}

/** What bytes must be to be accepted; `from` is named when they are not ("registry 127.0.0.1:5000"). */
export interface Expected {
  readonly digest: Digest
  readonly size: number
  readonly from: string
}

export class Blobs {
  readonly #paths: Paths

  constructor(paths: Paths) {
    this.#paths = paths
  }

  async has(digest: Digest): Promise<boolean> {
    try {
      await stat(this.#paths.blob(hexOf(digest)))
      return true
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false
      throw error
    }
  }

  /** Writes to a temporary file and digests on the way; `keep` makes it part of the store, `discard` forgets it. */
  async receive(
    source: AsyncIterable<Uint8Array>,
    onBytes?: (total: number) => void,
    limit = Infinity,
  ): Promise<Received> {
    const path = this.temporary()
    const file = await open(path, 'wx', 0o600)
    try {
      const hash = createHash('sha256')
      let size = 0
      for await (const chunk of source) {
        size += chunk.length
        if (size > limit) throw new Failure('invalid', `more than the announced ${limit} bytes were sent`)
        hash.update(chunk)
        await file.writev([chunk])
        onBytes?.(size)
      }
      await file.close()
      return { digest: `sha256:${hash.digest('hex')}`, size, path }
    } catch (error) {
      await file.close()
      await rm(path, { force: true })
      throw spaceFailure(error, path)
    }
  }

  /** Renamed into place; the same content again is no change. */
  async keep(received: Received): Promise<void> {
    const path = this.#paths.blob(hexOf(received.digest))
    try {
      await rename(received.path, path)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') {
        await this.discard(received)
        throw spaceFailure(error)
      }
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await rename(received.path, path)
    }
  }

  async discard(received: Pick<Received, 'path'>): Promise<void> {
    await rm(received.path, { force: true })
  }

  /** Keeps a small document. */
  async put(data: Uint8Array): Promise<Digest> {
    const path = this.temporary()
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(data)
      await file.close()
    } catch (error) {
      await file.close()
      await rm(path, { force: true })
      throw spaceFailure(error, path)
    }
    const digest = digestOf(data)
    await this.keep({ digest, size: data.length, path })
    return digest
  }

  /** A document, whole, its digest checked again. */
  async read(digest: Digest): Promise<Buffer> {
    const data = await readFile(this.#paths.blob(hexOf(digest)))
    if (digestOf(data) !== digest)
      throw new Failure('internal', `Cannot read blob "${digest}": its content has changed on disk`)
    return data
  }

  stream(digest: Digest): AsyncIterable<Buffer> {
    return fileBytes(this.#paths.blob(hexOf(digest)))
  }

  /** At once, before this returns its promise: see `Layers.remove`. */
  async remove(digest: Digest): Promise<void> {
    const doomed = this.temporary()
    try {
      renameSync(this.#paths.blob(hexOf(digest)), doomed)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return
      throw error
    }
    await rm(doomed, { force: true })
  }

  /** A path for something that is not yet whole; emptied when the engine starts. */
  temporary(): HostPath {
    return join(this.#paths.imageTemp, randomUUID())
  }
}

/** The failure that names digest and sender. */
export function mismatch(expected: Expected, found: string): Failure {
  return new Failure('invalid', `Cannot use blob "${expected.digest}" of ${expected.from}: ${found}`, {
    hint: 'Push the image again, or pull from another registry',
  })
}

/** @throws Failure `invalid` when bytes were others than was promised. */
export function checkReceived(found: { readonly digest: Digest; readonly size: number }, expected: Expected): void {
  if (found.digest === expected.digest && found.size === expected.size) return
  const isSize = found.size !== expected.size
  throw mismatch(
    expected,
    isSize ? `it has ${found.size} bytes, ${expected.size} were announced` : `its content has digest ${found.digest}`,
  )
}
