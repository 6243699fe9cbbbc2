/** Containers' records on disk: read at the start of the engine, each for itself, and written when they change. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isFailure, messageOf } from '../../lib/failure.ts'
import { loadKept } from '../base/kept-record.ts'
import { removeFolder } from '../base/remove-folder.ts'
import { spread } from '../base/spread.ts'
import { readRecord, writeRecord } from '../base/store.ts'
import {
  Container,
  type ContainerRecord,
  type ContainerState,
  newState,
  recordKind,
  stateKind,
  statePlaces,
} from './container.ts'
import { makeMountPoints } from './files/mount-points.ts'
import type { Parts } from './parts.ts'

/** What nobody can tell any more. */
export const unknownCode = 255

export interface LoadedContainers {
  readonly containers: readonly Container[]
  /** Ids of those whose record is lost: whatever runs of them is nobody's any more. */
  readonly lost: readonly string[]
}

type Found = { readonly container: Container } | { readonly lost: string } | undefined

export class Records {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Every container that has a record; one that cannot be read is kept aside and keeps nobody from the others. */
  async load(): Promise<LoadedContainers> {
    const { paths, aside } = this.#parts
    for (const folder of [paths.containers, paths.containerRuns]) {
      await aside.folder(folder)
      spread(folder)
    }
    await makeMountPoints(paths, aside)
    const names = await readdir(paths.containers)
    const found = await Promise.all([
      ...names.filter(name => /^[0-9a-f]{64}$/.test(name)).map(id => this.#read(id)),
      // a removal that was cut short
      ...names.filter(name => name.startsWith('.')).map(name => this.#clear(join(paths.containers, name))),
    ])
    return {
      containers: found.flatMap(each => (each && 'container' in each ? [each.container] : [])),
      lost: found.flatMap(each => (each && 'lost' in each ? [each.lost] : [])),
    }
  }

  async #read(id: string): Promise<Found> {
    const { paths, aside, say } = this.#parts
    const folder = paths.container(id)
    try {
      const record = await readRecord(paths.containerRecord(id), recordKind)
      if (!record) {
        // a create that was cut short has nothing but the folder
        if (isBare(await readdir(folder))) return await this.#clear(folder)
        aside.keep(folder, `Cannot find the record of container "${id}": "${paths.containerRecord(id)}" is not there`)
        return { lost: id }
      }
      if (record.id !== id) {
        aside.keep(folder, `Cannot use "${folder}": its record is that of container "${record.id}"`)
        return undefined
      }
      if (record.users) this.#parts.users.hold(id, record.users)
      const state = await this.#readState(record)
      return state && { container: new Container(record, state, this.#parts) }
    } catch (error) {
      if (isFailure(error, 'unsupported')) {
        say(error.message)
        return undefined
      }
      aside.keep(folder, messageOf(error))
      return { lost: id }
    }
  }

  /** Not there: it has never run. Damaged: it has, and nobody knows how that went. Newer: it is not ours. */
  async #readState({ id, created }: ContainerRecord): Promise<ContainerState | undefined> {
    const { paths, aside, boot } = this.#parts
    const loaded = await loadKept(aside, statePlaces(paths, id), stateKind)
    switch (loaded.kind) {
      case 'whole':
        return loaded.record
      case 'missing':
        return newState(boot)
      case 'damaged':
        return {
          ...newState(boot),
          status: 'exited',
          startedAt: created,
          exitCode: unknownCode,
          error: 'its last state could not be read',
        }
      case 'newer':
        return undefined
      default:
        return loaded satisfies never
    }
  }

  async #clear(folder: string): Promise<undefined> {
    try {
      await removeFolder(folder)
    } catch (error) {
      this.#parts.say(`Cannot clear "${folder}" away: ${messageOf(error)}`)
    }
  }

  /** A killed engine finds it; a power cut within the next second may not. @throws Failure naming the path. */
  async save(container: Container): Promise<void> {
    const path = this.#parts.paths.containerRecord(container.id)
    await writeRecord(path, container.record)
    this.#parts.syncer.later(path)
  }
}

/** Nothing in it but what a write that was cut short left. */
function isBare(names: readonly string[]): boolean {
  return names.every(name => name.startsWith('.container.json.'))
}
