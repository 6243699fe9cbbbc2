/** Snapshots of one project on disk: a document each, `snapshots/NAME.json` in the project's folder; their data are volumes of the engine. */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, Failure, isFailure, messageOf } from '../lib/failure.ts'
import { createDocument, type Members, readDocument } from '../state/document.ts'
import { projectFolder, type StateOf } from '../state/folder.ts'
import type { Entry } from './entry.ts'
import { Standing } from './standing.ts'

const version = 1
const namePattern = /^[a-z0-9][a-z0-9_.-]{0,63}$/

export interface SnapshotVolume {
  /** Its name at the engine. */
  readonly volume: string
  readonly labels: Readonly<Record<string, string>>
  /** The volume that holds what was in it. */
  readonly copy: string
}

export interface Snapshot extends Pick<Entry, 'images' | 'files' | 'variables' | 'model' | 'scale' | 'services'> {
  readonly version: typeof version
  readonly name: string
  /** ISO 8601. */
  readonly created: string
  readonly user: string
  /** "asked for", or what was about to happen. */
  readonly cause: string
  readonly volumes: readonly SnapshotVolume[]
}

export type NewSnapshot = Omit<Snapshot, 'version'>

/** @throws Failure `invalid` */
export function checkSnapshotName(name: string): void {
  if (namePattern.test(name)) return
  throw new Failure(
    'invalid',
    `Cannot name a snapshot "${name}": it should be lower-case letters, digits, "-", "_" and ".", 64 at most`,
  )
}

export class Snapshots {
  readonly #folder: string
  readonly #project: string
  readonly standing: Standing

  constructor(project: string, of: StateOf) {
    this.#project = project
    this.standing = new Standing(project, of)
    this.#folder = join(projectFolder(project, of), 'snapshots')
  }

  /** The oldest first; what cannot be read is told, a sentence each. */
  read(): { readonly snapshots: readonly Snapshot[]; readonly damaged: readonly string[] } {
    const snapshots: Snapshot[] = []
    const damaged: string[] = []
    for (const name of this.#names()) {
      try {
        const found = this.#find(name)
        if (found) snapshots.push(found)
      } catch (error) {
        if (!isFailure(error)) throw error
        damaged.push(error.message)
      }
    }
    return { snapshots: snapshots.sort((a, b) => (a.created < b.created ? -1 : 1)), damaged }
  }

  /** @throws Failure `not-found` with the names there are. */
  get(name: string): Snapshot {
    checkSnapshotName(name)
    const found = this.#find(name)
    if (found) return found
    const names = this.#names()
    throw new Failure('not-found', `Project "${this.#project}" has no snapshot "${name}"`, {
      hint: names.length === 0 ? 'It has none: tscompose snapshot create' : `It has ${names.join(', ')}`,
    })
  }

  has(name: string): boolean {
    return this.#names().includes(name)
  }

  /** @throws Failure `conflict` for a name that is taken. */
  add(snapshot: NewSnapshot): void {
    if (!createDocument(this.#path(snapshot.name), JSON.stringify({ version, ...snapshot })))
      throw new Failure('conflict', `Project "${this.#project}" has a snapshot "${snapshot.name}" already`)
  }

  remove(name: string): void {
    rmSync(this.#path(name), { force: true })
  }

  #find(name: string): Snapshot | undefined {
    const path = this.#path(name)
    const members = readDocument(path, version)
    return members && checked(path, members)
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`)
  }

  #names(): readonly string[] {
    try {
      return readdirSync(this.#folder)
        .flatMap(file => (file.endsWith('.json') ? file.slice(0, -'.json'.length) : []))
        .filter(name => namePattern.test(name))
        .sort()
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return []
      throw new Failure('internal', `Cannot read "${this.#folder}": ${errnoOf(cause) ?? messageOf(cause)}`, { cause })
    }
  }
}

function checked(path: string, members: Members): Snapshot {
  const bad = (member: string) => new Failure('internal', `Cannot read "${path}": it has no good "${member}"`)
  const { name, created, user, cause, volumes, images, files, variables, model } = members
  for (const [key, value] of Object.entries({ name, created, user, cause }))
    if (typeof value !== 'string') throw bad(key)
  for (const [key, value] of Object.entries({ images, files, variables })) if (!isRecord(value)) throw bad(key)
  for (const image of Object.values(images as Members))
    if (!isRecord(image) || typeof image['id'] !== 'string') throw bad('images')
  if (model !== undefined && !isRecord(model)) throw bad('model')
  if (!Array.isArray(volumes)) throw bad('volumes')
  for (const each of volumes)
    if (
      !isRecord(each) ||
      typeof each['volume'] !== 'string' ||
      typeof each['copy'] !== 'string' ||
      !isRecord(each['labels'])
    )
      throw bad('volumes')
  return members as unknown as Snapshot
}

function isRecord(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
