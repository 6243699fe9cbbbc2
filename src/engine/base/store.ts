/** Records on disk: one JSON document each, with a version, written whole and renamed into place. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, open, readFile, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { z } from 'zod'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { exchange } from '../../runtime/native.ts'
import { reasonOf, writeFailure } from './space.ts'

/** A document as it was read, before it is known to be what it should be. */
export type Document = Readonly<Record<string, unknown>>

/** What records of one kind look like now, and how those of each older version become the next. */
export interface RecordKind<T> {
  readonly version: number
  readonly schema: z.ZodType<T>
  /** By the version that a document has: the same one, a version later. */
  readonly upgrades?: Readonly<Record<number, (old: Document) => Document>>
}

export interface WriteOptions {
  /** Sync file and folder before returning: for what cannot be rebuilt after a power cut. */
  readonly sync?: boolean
  /**
   * The caller has it synced soon. Then what it replaces is exchanged for it and removed: a rename over it has ext4 begin to write the new one
   * to the disk at once, and for that write whoever replaces or removes it a moment later waits. The removal gives blocks back, which is
   * elsewhere work for a quarter of a millisecond.
   */
  readonly syncedSoon?: boolean
}

let serial = 0

/**
 * Writes `value` as JSON, 0600; a reader sees the old document or the new one, never a part.
 * @throws Failure `internal` that names the path: the disk is full, the folder gone.
 */
export async function writeRecord(path: string, value: object, options: WriteOptions = {}): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${++serial}`)
  try {
    // At once: 50 µs, where the same by promises wakes a thread four times. Only a sync is worth waiting for elsewhere.
    writeFileSync(temporary, JSON.stringify(value), { flag: 'wx', mode: 0o600 })
    if (options.sync) {
      await using file = await open(temporary, 'r')
      await file.datasync()
    }
    if (options.syncedSoon && exchange(temporary, path)) await removeReplaced(temporary)
    else renameSync(temporary, path)
    if (options.sync) await syncFolder(dirname(path))
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw writeFailure(path, cause)
  }
}

/** Whether a file is what another engine was writing when it was killed: nobody reads it, and nobody else would take it away. */
export function isUnfinished(name: string): boolean {
  const pid = /^\..+\.(\d+)\.\d+$/.exec(name)?.[1]
  return pid !== undefined && Number(pid) !== process.pid
}

/** It may have gone with its folder, which somebody removes meanwhile. */
async function removeReplaced(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}

/**
 * Reads and checks a record, one of an older version brought up to date; undefined when there is none.
 * @throws Failure `unsupported` when a newer engine wrote it, `internal` when it is damaged.
 */
export async function readRecord<T>(path: string, kind: RecordKind<T>): Promise<T | undefined> {
  const damaged = (why: string, cause?: unknown) =>
    new Failure('internal', `Cannot read record "${path}": ${why}`, { cause })
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw damaged(reasonOf(error), error)
  }
  if (text.trim() === '') throw damaged('it is empty')
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw damaged('it is not JSON', cause)
  }
  if (!isDocument(data)) throw damaged('it is no document')
  const result = kind.schema.safeParse(upgraded(path, data, kind))
  if (!result.success) {
    const { path: at, message } = result.error.issues[0]!
    throw damaged(`${at.length > 0 ? `${at.join('.')}: ` : ''}${message}`, result.error)
  }
  return result.data
}

function isDocument(data: unknown): data is Document {
  return typeof data === 'object' && data !== null && !Array.isArray(data)
}

function upgraded<T>(path: string, document: Document, { version, upgrades = {} }: RecordKind<T>): Document {
  let current = document
  for (let found = current['version']; typeof found === 'number' && found !== version; found = current['version']) {
    if (found > version)
      throw new Failure(
        'unsupported',
        `Cannot read record "${path}": it has version ${found}, this engine knows up to ${version}`,
        { hint: 'Start the engine that wrote it, or a newer one' },
      )
    const upgrade = upgrades[found]
    if (!upgrade) break
    current = { ...upgrade(current), version: found + 1 }
  }
  return current
}

/** Makes a folder, 0700 unless told otherwise, and those above it. */
export async function ensureDirectory(path: string, mode = 0o700): Promise<void> {
  await mkdir(path, { recursive: true, mode })
}
