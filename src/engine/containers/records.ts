/** Containers' records on disk: read at the start of the engine, written at once, synced together a little later. */
import { open, readdir } from 'node:fs/promises'
import { debug } from '../../lib/debug.ts'
import { errnoOf, isFailure, messageOf } from '../../lib/failure.ts'
import type { Paths } from '../base/paths.ts'
import { removeFolder } from '../base/remove-folder.ts'
import { ensureDirectory, readRecord, writeRecord } from '../base/store.ts'
import { Container, newState, recordSchema, recordVersion, stateSchema } from './container.ts'

const log = debug('containers')

/** A create takes microseconds, a sync milliseconds: fifty creates are synced as one. */
const syncAfter = 1000

export class Records {
  readonly #paths: Paths
  readonly #dirty = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #syncing: Promise<void> = Promise.resolve()

  constructor(paths: Paths) {
    this.#paths = paths
  }

  /** Every container that has a record; what a create or removal that was cut short left of others is cleared away. */
  async load(boot: string): Promise<Container[]> {
    await ensureDirectory(this.#paths.containers)
    const ids = (await readdir(this.#paths.containers)).filter(name => /^[0-9a-f]{64}$/.test(name))
    const found = await Promise.all(ids.map(id => this.#read(id, boot)))
    return found.filter(container => container !== undefined)
  }

  async #read(id: string, boot: string): Promise<Container | undefined> {
    const record = await readRecord(this.#paths.containerRecord(id), recordVersion, recordSchema)
    if (!record) {
      log('%s has no record', id)
      await removeFolder(this.#paths.container(id))
      await removeFolder(this.#paths.containerRun(id))
      return undefined
    }
    let state: typeof stateSchema._output | undefined
    try {
      state = await readRecord(this.#paths.containerState(id), recordVersion, stateSchema)
    } catch (error) {
      // It is not synced: after a power cut it may be damaged, and then nothing runs anyway.
      if (!isFailure(error, 'internal')) throw error
      log('%s: %s', id, messageOf(error))
    }
    return new Container(record, state ?? newState(boot), this.#paths)
  }

  /** A killed engine finds it; a power cut within the next second may not. */
  async save(container: Container): Promise<void> {
    await writeRecord(this.#paths.containerRecord(container.id), container.record)
    this.#dirty.add(container.id)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#syncing = this.#syncing.then(() => this.#sync())
    }, syncAfter)
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#syncing
    await this.#sync()
  }

  async #sync(): Promise<void> {
    if (this.#dirty.size === 0) return
    const ids = [...this.#dirty]
    this.#dirty.clear()
    try {
      for (const id of ids) await syncPath(this.#paths.containerRecord(id))
      await syncPath(this.#paths.containers)
    } catch (error) {
      // The records are written; only a power cut right now would lose them.
      log('cannot sync: %s', messageOf(error))
    }
  }
}

async function syncPath(path: string): Promise<void> {
  try {
    await using file = await open(path, 'r')
    await file.sync()
  } catch (error) {
    // removed meanwhile
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
