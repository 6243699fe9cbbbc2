/** The folder of a mirror on disk: read as it is, and brought to what a client has. Nobody else writes in it. */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { Failure } from '../../lib/failure.ts'
import { makeNode } from '../../runtime/native.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { readImageXattrs, setImageXattrs } from '../base/image-xattrs.ts'
import { removeFolder } from '../base/remove-folder.ts'
import type { FileEntry } from './file-entry.ts'
import type { KnownEntry, MirrorChanges } from './mirror-changes.ts'

/** Milliseconds between two turns of the event loop. */
const slice = 10
const noXattrs: ReadonlyMap<string, Buffer> = new Map()

/** What is there, by looking: after a start whose end nobody wrote down. */
export async function readMirror(root: HostPath): Promise<Map<string, KnownEntry>> {
  const found = new Map<string, KnownEntry>()
  const inodes = new Map<bigint, string>()
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    await turn()
    for (const name of readdirSync(join(root, folder)).sort()) {
      const path = folder === '' ? name : `${folder}/${name}`
      const at = join(root, path)
      const stat = lstatSync(at, { bigint: true })
      const first = stat.isFile() && stat.nlink > 1n ? inodes.get(stat.ino) : undefined
      if (stat.isFile() && first === undefined) inodes.set(stat.ino, path)
      if (stat.isDirectory()) folders.push(path)
      found.set(path, {
        path,
        kind: stat.isDirectory()
          ? 'folder'
          : stat.isSymbolicLink()
            ? 'symlink'
            : stat.isFIFO()
              ? 'fifo'
              : stat.isFile()
                ? first === undefined
                  ? 'file'
                  : 'hardlink'
                : 'other',
        mode: stat.isSymbolicLink() ? 0o777 : Number(stat.mode) & 0o7777,
        size: stat.isFile() && first === undefined ? Number(stat.size) : 0,
        modified: stat.mtimeNs,
        link: stat.isSymbolicLink() ? readlinkSync(at) : (first ?? ''),
        xattrs: readImageXattrs(at) ?? noXattrs,
      })
    }
  }
  return found
}

/** One round of changes. Files get their time last: one that was cut off is seen to be another. */
export class MirrorWriter {
  readonly #root: HostPath
  readonly #folders = new Map<string, FileEntry>()
  readonly #links: FileEntry[] = []

  constructor(root: HostPath) {
    this.#root = root
  }

  /** All but the content of files. `now` is every folder that the client has. */
  async begin({ removed, made, touched }: MirrorChanges, all: readonly FileEntry[]): Promise<void> {
    let until = performance.now() + slice
    const breathe = async () => {
      if (performance.now() < until) return
      await turn()
      until = performance.now() + slice
    }
    const dirty = new Set<string>()
    const spoil = (path: string) => dirty.add(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '')
    for (const path of removed) {
      await breathe()
      await this.#remove(path)
      spoil(path)
    }
    for (const entry of made) {
      await breathe()
      const at = join(this.#root, entry.path)
      spoil(entry.path)
      if (entry.kind === 'folder') {
        mkdirSync(at, 0o700)
        this.#folders.set(entry.path, entry)
      } else if (entry.kind === 'symlink') {
        symlinkSync(entry.link, at)
        this.#finish(at, entry)
      } else if (entry.kind === 'fifo') {
        makeNode(at, 'fifo')
        this.#finish(at, entry)
      } else if (entry.kind === 'hardlink') this.#links.push(entry)
    }
    for (const entry of touched) {
      await breathe()
      if (entry.kind === 'folder') this.#folders.set(entry.path, entry)
      else this.#finish(join(this.#root, entry.path), entry)
    }
    for (const entry of all) if (entry.kind === 'folder' && dirty.has(entry.path)) this.#folders.set(entry.path, entry)
  }

  /** Where a file's content goes; nothing is there yet. */
  open(entry: FileEntry): FileReceiver {
    return new FileReceiver(join(this.#root, entry.path), entry)
  }

  /** Links, once what they link to is there, then modes and times of folders, innermost first. */
  end(): void {
    for (const { path, link } of this.#links) linkSync(join(this.#root, link), join(this.#root, path))
    for (const entry of [...this.#folders.values()].reverse()) this.#finish(join(this.#root, entry.path), entry)
  }

  async #remove(path: string): Promise<void> {
    const at = join(this.#root, path)
    if (lstatSync(at).isDirectory()) await removeFolder(at)
    else unlinkSync(at)
  }

  #finish(at: HostPath, entry: FileEntry): void {
    const seconds = secondsOf(entry)
    setImageXattrs(at, entry.xattrs)
    if (entry.kind === 'symlink') lutimesSync(at, seconds, seconds)
    else {
      chmodSync(at, entry.mode)
      utimesSync(at, seconds, seconds)
    }
  }
}

function secondsOf({ modified }: FileEntry): number {
  // half a microsecond more, since what lies below one is cut off
  return (Number(modified / 1000n) + 0.5) / 1e6
}

/** The content of one file as it comes. */
export class FileReceiver {
  readonly #at: HostPath
  readonly #entry: FileEntry
  readonly #fd: number
  #received = 0

  constructor(at: HostPath, entry: FileEntry) {
    this.#at = at
    this.#entry = entry
    this.#fd = openSync(at, 'wx', 0o600)
  }

  /** @throws Failure `invalid` when it is far more than was told. */
  write(data: Uint8Array): void {
    this.#received += data.length
    if (this.#received > this.#entry.size * 2 + 2 ** 20)
      throw new Failure('invalid', `Cannot take ${JSON.stringify(this.#entry.path)}: it grows while it is sent`)
    for (let done = 0; done < data.length; ) done += writeSync(this.#fd, data, done)
  }

  /** One that became another while it was sent keeps a time of its own, so that it is asked for again. */
  finish(): void {
    setImageXattrs(this.#at, this.#entry.xattrs)
    fchmodSync(this.#fd, this.#entry.mode)
    if (this.#received === this.#entry.size) futimesSync(this.#fd, secondsOf(this.#entry), secondsOf(this.#entry))
    closeSync(this.#fd)
  }

  get whole(): boolean {
    return this.#received === this.#entry.size
  }

  abandon(): void {
    closeSync(this.#fd)
  }
}
