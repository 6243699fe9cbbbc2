/** What a client says it has in a folder: each word of it checked, since it comes from outside. */
import type { fileStat } from '../../api/buildkit/file-sync.ts'
import type { Of } from '../../api/buildkit/message.ts'
import { kernelMode } from '../../api/go-mode.ts'
import { Failure } from '../../lib/failure.ts'

export interface FileEntry {
  /** Relative, with slashes. */
  readonly path: string
  readonly kind: 'folder' | 'file' | 'symlink' | 'hardlink' | 'fifo'
  /** Permissions and set-id bits. */
  readonly mode: number
  /** Bytes; 0 of what is no file. */
  readonly size: number
  /** Nanoseconds since 1970. */
  readonly modified: bigint
  /** Of a symbolic link what it says, of a hard link the path of an entry before it; "" otherwise. */
  readonly link: string
  readonly xattrs: ReadonlyMap<string, Buffer>
}

export interface EntryLimits {
  readonly entries: number
  /** Sum of all files. */
  readonly bytes: number
  /** Characters of all paths. */
  readonly names: number
}

export const entryLimits: EntryLimits = { entries: 1_000_000, bytes: 2 ** 40, names: 256 * 1024 * 1024 }

const longestPath = 4095
const longestName = 255

/** The entries of one folder in the order they are told; every one has its folder before it. */
export class Entries {
  readonly all: FileEntry[] = []
  readonly #byPath = new Map<string, FileEntry>()
  readonly #limits: EntryLimits
  #bytes = 0
  #names = 0

  constructor(limits = entryLimits) {
    this.#limits = limits
  }

  /**
   * Undefined for a socket, which has no place in a copy; it counts in the order all the same.
   * @throws Failure `invalid` for what leads out of the folder, comes twice, or is too much.
   */
  add(stat: Of<typeof fileStat>): FileEntry | undefined {
    const entry = entryOf(stat)
    const { path } = entry ?? stat
    this.#names += path.length
    if (this.#byPath.size >= this.#limits.entries || this.#names > this.#limits.names)
      throw refused(path, `the folder has more than ${this.#limits.entries} entries`)
    checkPath(path)
    const slash = path.lastIndexOf('/')
    if (slash > 0 && this.#byPath.get(path.slice(0, slash))?.kind !== 'folder')
      throw refused(path, 'its folder was not told before it')
    if (this.#byPath.has(path)) throw refused(path, 'it comes twice')
    if (entry === undefined) return undefined
    if (entry.kind === 'hardlink' && this.#byPath.get(entry.link)?.kind !== 'file')
      throw refused(path, `it is a link to "${entry.link}", which is no file before it`)
    this.#bytes += entry.size
    if (this.#bytes > this.#limits.bytes) throw refused(path, `the folder has more than ${this.#limits.bytes} bytes`)
    this.#byPath.set(path, entry)
    this.all.push(entry)
    return entry
  }

  get(path: string): FileEntry | undefined {
    return this.#byPath.get(path)
  }

  get bytes(): number {
    return this.#bytes
  }
}

function entryOf(stat: Of<typeof fileStat>): FileEntry | undefined {
  const mode = kernelMode(stat.mode)
  const kind = kindOf(stat, mode)
  if (kind === undefined || mode === undefined) return undefined
  if (stat.size < 0) throw refused(stat.path, `its size is ${stat.size}`)
  if (
    kind === 'symlink' &&
    (stat.linkName === '' || stat.linkName.includes('\0') || stat.linkName.length > longestPath)
  )
    throw refused(stat.path, 'it is a link to nothing that could be')
  return {
    path: stat.path,
    kind,
    mode: kind === 'symlink' ? 0o777 : mode & 0o7777,
    size: kind === 'file' ? stat.size : 0,
    modified: stat.modified,
    link: stat.linkName,
    xattrs: new Map([...stat.xattrs].map(([name, value]) => [name, Buffer.from(value)])),
  }
}

function kindOf(stat: Of<typeof fileStat>, mode: number | undefined): FileEntry['kind'] | undefined {
  switch ((mode ?? 0) & 0o170000) {
    case 0o040000:
      return 'folder'
    case 0o120000:
      return 'symlink'
    case 0o010000:
      return 'fifo'
    case 0o100000:
      return stat.linkName === '' ? 'file' : 'hardlink'
    case 0o140000:
      return undefined
    default:
      throw refused(stat.path, 'a device has no place in a build context')
  }
}

function checkPath(path: string): void {
  const bad =
    path === '' || path.startsWith('/') || path.includes('\0') || path.length > longestPath
      ? true
      : path
          .split('/')
          .some(name => name === '' || name === '.' || name === '..' || Buffer.byteLength(name) > longestName)
  if (bad) throw refused(path, 'that is no path inside the folder')
}

function refused(path: string, why: string): Failure {
  return new Failure('invalid', `Cannot take ${JSON.stringify(path.slice(0, 200))} into a build context: ${why}`)
}
