/** The files of a log, opened as they stood at one moment: the monitor may move them while they are looked for. */
import { type FileHandle, open, stat } from 'node:fs/promises'
import { errnoOf } from '../../lib/failure.ts'
import { isCompressed, logFiles } from './rotate.ts'

export interface OpenFile {
  readonly path: string
  readonly inode: number
  /** By gzip. */
  readonly compressed: boolean
  readonly handle: FileHandle
}

/** A rotation takes microseconds: to meet one again and again is no accident, and then the last look has to do. */
const attempts = 20

/** Oldest first, the current one last; those of a log that is not there are none. To be closed by who asked. */
export async function openLogFiles(path: string): Promise<OpenFile[]> {
  for (let attempt = 1; ; attempt++) {
    const files = await openAll(await logFiles(path))
    if (attempt === attempts || (await isStill(path, files))) return files
    await closeAll(files)
  }
}

export async function closeAll(files: Iterable<OpenFile>): Promise<void> {
  await Promise.all([...files].map(({ handle }) => handle.close()))
}

async function openAll(paths: readonly string[]): Promise<OpenFile[]> {
  const files: OpenFile[] = []
  try {
    for (const path of paths) {
      const handle = await openIfThere(path)
      if (handle) files.push({ path, handle, inode: (await handle.stat()).ino, compressed: isCompressed(path) })
    }
    return files
  } catch (error) {
    await closeAll(files)
    throw error
  }
}

async function isStill(path: string, files: readonly OpenFile[]): Promise<boolean> {
  const names = await logFiles(path)
  if (names.length !== files.length) return false
  const inodes = await Promise.all(names.map(inodeOf))
  return files.every((file, i) => file.path === names[i] && file.inode === inodes[i])
}

/** Undefined when there is none. */
export async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
