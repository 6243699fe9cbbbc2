/** The folders of RUN --mount=type=cache: they outlive builds, hold nothing that a build may rely on, and go when the disk is needed. */
import { chmodSync, chownSync, mkdirSync, utimesSync } from 'node:fs'
import { readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../lib/failure.ts'
import { stableHash } from '../../lib/stable-json.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { folderSize } from '../base/folder-size.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import type { Paths } from '../base/paths.ts'
import { removeFolder } from '../base/remove-folder.ts'
import type { RunMount } from './dockerfile/plan.ts'

type CacheMount = Extract<RunMount, { kind: 'cache' }>

export interface MountedCache extends AsyncDisposable {
  readonly path: HostPath
}

export interface StoredMount {
  /** Hex. */
  readonly key: string
  readonly size: number
  /** Milliseconds since 1970. */
  readonly lastUsed: number
  readonly inUse: boolean
}

export class CacheMounts {
  readonly #paths: Paths
  readonly #locks = new KeyedLock()
  /** How many commands use each folder. */
  readonly #users = new Map<string, number>()
  /** Bytes of those that nobody has used since they were counted. */
  readonly #sizes = new Map<string, number>()

  constructor(paths: Paths) {
    this.#paths = paths
  }

  /**
   * The folder of a mount, for as long as it is not disposed of. `locked` waits for the one before, `private` takes another folder when
   * the first is in use.
   * @param fill puts into a new folder what it is to begin with.
   */
  async use(mount: CacheMount, fill: (folder: HostPath) => Promise<void>): Promise<MountedCache> {
    if (mount.sharing !== 'locked') return await this.#take(mount, fill)
    const ready = Promise.withResolvers<MountedCache>()
    const done = Promise.withResolvers<void>()
    void this.#locks
      .run(`mount ${mount.id}`, async () => {
        await using taken = await this.#take(mount, fill)
        ready.resolve({ path: taken.path, [Symbol.asyncDispose]: async () => done.resolve() })
        await done.promise
      })
      .catch((error: unknown) => ready.reject(error))
    return await ready.promise
  }

  async #take(mount: CacheMount, fill: (folder: HostPath) => Promise<void>): Promise<MountedCache> {
    for (let number = 0; ; number++) {
      const key = stableHash([mount.id, number])
      if (mount.sharing === 'private' && this.#users.has(key)) continue
      this.#users.set(key, (this.#users.get(key) ?? 0) + 1)
      this.#sizes.delete(key)
      const leave = async () => {
        const left = this.#users.get(key)! - 1
        if (left === 0) this.#users.delete(key)
        else this.#users.set(key, left)
      }
      try {
        return {
          path: await this.#locks.run(`folder ${key}`, () => this.#folder(key, mount, fill)),
          [Symbol.asyncDispose]: leave,
        }
      } catch (error) {
        await leave()
        throw error
      }
    }
  }

  /** Made whole under another name first. */
  async #folder(key: string, mount: CacheMount, fill: (folder: HostPath) => Promise<void>): Promise<HostPath> {
    const path = join(this.#paths.buildMounts, key)
    const data = join(path, 'data')
    if (await isFolder(data)) {
      const now = Date.now() / 1000
      utimesSync(path, now, now)
      return data
    }
    await removeFolder(path)
    const temporary = join(this.#paths.buildMounts, `.${key}`)
    await removeFolder(temporary)
    const folder = join(temporary, 'data')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    await fill(folder)
    chownSync(folder, mount.uid, mount.gid)
    chmodSync(folder, mount.mode)
    await rename(temporary, path)
    return data
  }

  async list(): Promise<readonly StoredMount[]> {
    const names = (await readdir(this.#paths.buildMounts)).filter(name => !name.startsWith('.'))
    return await Promise.all(
      names.map(async key => {
        const path = join(this.#paths.buildMounts, key)
        const [{ mtimeMs }, size] = await Promise.all([stat(path), this.#sizes.get(key) ?? folderSize(path)])
        const inUse = this.#users.has(key)
        if (!inUse) this.#sizes.set(key, size)
        return { key, size, lastUsed: mtimeMs, inUse }
      }),
    )
  }

  /** Not when it is in use. */
  async remove(key: string): Promise<boolean> {
    return await this.#locks.run(`folder ${key}`, async () => {
      if (this.#users.has(key)) return false
      this.#sizes.delete(key)
      const doomed = join(this.#paths.buildTemp, key)
      await rename(join(this.#paths.buildMounts, key), doomed)
      await removeFolder(doomed)
      return true
    })
  }
}

/** False only where none is there: one that cannot be looked at is not to be made anew. */
async function isFolder(path: HostPath): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false
    throw error
  }
}
