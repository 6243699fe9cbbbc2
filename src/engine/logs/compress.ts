/** Rotated files of a log → the same compressed, beside a monitor that goes on rotating, or while there is none. */
import { createWriteStream, renameSync, rmSync, statSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { errnoOf } from '../../lib/failure.ts'
import { lockFile } from '../../runtime/native.ts'
import { contentOf } from './lines.ts'
import { closeAll, type OpenFile, openLogFiles } from './open-files.ts'
import { compressedName, rotatedName } from './rotate.ts'

export interface CompressOptions {
  /** Inodes of files where somebody is who reads on from there and reads no compressed ones: they and newer ones stay. */
  readonly readers: () => readonly number[]
  readonly signal: AbortSignal
}

/** A rotation takes microseconds; a log whose lock is not to be had is left for the next time. */
const attempts = 100

/** All that can be compressed now. @throws Error of the system, the disk being full, say: then the file stays as it is. */
export async function compressRotated(path: string, options: CompressOptions): Promise<void> {
  // of an engine that was killed in between it may be left
  const temporary = join(dirname(path), `.${basename(path)}.gz`)
  try {
    while (!options.signal.aborted) if (!(await compressOne(path, temporary, options))) return
  } catch (error) {
    // the engine ends, or the log is removed: what is plain stays plain
    if (!options.signal.aborted && errnoOf(error) !== 'ENOENT') throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

/** False when there is nothing more to do. */
async function compressOne(path: string, temporary: string, { readers, signal }: CompressOptions): Promise<boolean> {
  const files = await openLogFiles(path)
  try {
    const next = dueFile(path, files, readers())
    if (!next) return false
    await pipeline(contentOf(next.handle), createGzip(), createWriteStream(temporary, { mode: 0o600 }), { signal })
    // on disk before the plain one goes: a power cut must not take both
    await using written = await open(temporary, 'r')
    await written.datasync()
    return await takePlace(path, temporary, next.inode)
  } finally {
    await closeAll(files)
  }
}

/** The oldest that is plain and finished, and that all who read have passed. */
function dueFile(path: string, files: readonly OpenFile[], readers: readonly number[]): OpenFile | undefined {
  // without a current one the last may still be written to
  if (files.at(-1)?.path !== path) return undefined
  const at = files.findIndex(({ compressed }) => !compressed)
  const newer = new Set(files.slice(at + 1).map(({ inode }) => inode))
  return newer.size > 0 && readers.every(inode => newer.has(inode)) ? files[at] : undefined
}

/** Under the lock that keeps the monitor from rotating. False when it is not to be had. */
async function takePlace(path: string, temporary: string, inode: number): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    using lock = lockCurrent(path)
    if (!lock) {
      await pause(1)
      continue
    }
    const plain = rotatedName(path, inode)
    if (plain === undefined) return true
    renameSync(temporary, compressedName(plain))
    rmSync(plain)
    return true
  }
  return false
}

/** Undefined in the middle of a rotation. */
function lockCurrent(path: string): Disposable | undefined {
  try {
    const lock = lockFile(path, { existing: true })
    if (!lock) return undefined
    if (statSync(path, { throwIfNoEntry: false })?.ino === lock.inode) return { [Symbol.dispose]: () => lock.release() }
    lock.release()
    return undefined
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
