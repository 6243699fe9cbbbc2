/** The files of the one executable that something loads by path → a folder that only its owner writes; each is checked, each time. */
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errnoOf, Failure } from '../lib/failure.ts'

export interface PackedFile {
  /** Below the folder: `native/build/monitor`. */
  readonly path: string
  readonly mode: number
  /** In hex. */
  readonly sha256: string
}

export interface Unpack {
  /** Made when it is not there. */
  readonly folder: string
  readonly files: readonly PackedFile[]
  bytesOf(path: string): Uint8Array
  /** Who is to own all of it. */
  readonly uid: number
}

/**
 * Files that are there with the right content stay, all others are written anew, whole or not at all.
 *
 * @throws Failure `denied` where somebody else could write, or has written
 */
export function unpack({ folder, files, bytesOf, uid }: Unpack): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const checked = new Set<string>()
  const check = (path: string) => {
    if (checked.has(path)) return
    checked.add(path)
    const { uid: owner, mode } = lstatSync(path)
    // a link or a folder that others write to leads to whatever they like
    if (owner !== uid || (mode & 0o170000) !== 0o040000 || (mode & 0o022) !== 0)
      throw new Failure(
        'denied',
        `Cannot unpack into "${folder}": "${path}" is no folder that only user ${uid} writes`,
        {
          hint: 'Remove it, or mend its owner and mode',
        },
      )
  }
  check(folder)
  for (const { path, mode, sha256 } of files) {
    const target = join(folder, path)
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 })
    for (let parent = dirname(target); parent !== folder; parent = dirname(parent)) check(parent)
    if (digestOf(target, uid) === sha256) continue
    const bytes = bytesOf(path)
    if (digest(bytes) !== sha256)
      throw new Failure('invalid', `Cannot unpack "${path}": the program's own file is damaged`, {
        hint: 'Get it anew',
      })
    const part = `${target}.${process.pid}`
    writeFileSync(part, bytes, { mode, flag: 'wx' })
    // whatever the umask takes away
    chmodSync(part, mode)
    renameSync(part, target)
  }
}

/** Of a plain file that only `uid` writes; undefined when there is none. */
function digestOf(path: string, uid: number): string | undefined {
  try {
    const stat = lstatSync(path)
    if (!stat.isFile() || stat.uid !== uid || (stat.mode & 0o022) !== 0) return undefined
    return digest(readFileSync(path))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
