/**
 * Copies of clients' folders that outlive a build, so that the next one sends only what has changed. One for each folder that a client
 * shares, and another while that one is in use: a build's files do not change below it.
 *
 * What a mirror holds is written down when it is as its client has it, and that is taken away before anything is changed; without
 * it the folder is looked through. So one that was cut short anywhere is right afterwards. Nothing is synced: none outlives a reboot.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { chmod, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { folderSize } from '../base/folder-size.ts'
import { removeFolder } from '../base/remove-folder.ts'
import { ensureDirectory, writeRecord } from '../base/store.ts'
import type { FileEntry } from './file-entry.ts'
import { type KnownEntry, mirrorChanges } from './mirror-changes.ts'
import { type FileReceiver, MirrorWriter, readMirror } from './mirror-tree.ts'

export interface MirrorsOptions {
  /** Where all of them are; nobody else writes there. */
  readonly folder: HostPath
  /** Of this start of the machine. */
  readonly boot: string
  /** How many are kept that no build uses. */
  readonly keep?: number
}

const keptByDefault = 32

export interface IdleMirror {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly lastUsed: number
  /** Bytes. */
  readonly size: number
}

export class Mirrors {
  readonly #all: HostPath
  readonly #folder: HostPath
  readonly #keep: number
  readonly #busy = new Set<string>()
  /** Those that no build uses, the one used last at the end; bytes are unknown of those that another engine has left. */
  readonly #idle = new Map<string, { readonly lastUsed: number; readonly size: number | undefined }>()
  #found: Promise<void> | undefined

  constructor({ folder, boot, keep = keptByDefault }: MirrorsOptions) {
    this.#all = folder
    this.#folder = join(folder, boot)
    this.#keep = keep
  }

  /** The first free copy of that folder, held until it is released. */
  async acquire(sharedKey: string, name: string): Promise<Mirror> {
    await this.#find()
    const key = createHash('sha256')
      .update(JSON.stringify([sharedKey, name]))
      .digest('hex')
      .slice(0, 32)
    let slot = 0
    while (this.#busy.has(`${key}-${slot}`)) slot++
    const id = `${key}-${slot}`
    this.#busy.add(id)
    this.#idle.delete(id)
    try {
      return await Mirror.open(join(this.#folder, id), size => this.#release(id, size))
    } catch (error) {
      await this.#release(id, undefined)
      throw error
    }
  }

  /** Those that no build uses, with their bytes. */
  async list(): Promise<readonly IdleMirror[]> {
    await this.#find()
    const found: IdleMirror[] = []
    for (const [id, { lastUsed, size }] of [...this.#idle]) {
      const bytes = size ?? (await folderSize(join(this.#folder, id)))
      // one that has come into use since is none of these
      if (size === undefined && this.#idle.has(id)) this.#idle.set(id, { lastUsed, size: bytes })
      found.push({ id, lastUsed, size: bytes })
    }
    return found
  }

  /** Whether it was there and no build used it. */
  async remove(id: string): Promise<boolean> {
    await this.#find()
    if (!this.#idle.delete(id)) return false
    // a build that wants it meanwhile takes another
    this.#busy.add(id)
    try {
      await removeFolder(join(this.#folder, id))
    } finally {
      this.#busy.delete(id)
    }
    return true
  }

  #find(): Promise<void> {
    return (this.#found ??= this.#findLeft())
  }

  async #findLeft(): Promise<void> {
    await ensureDirectory(this.#folder)
    for (const other of readdirSync(this.#all))
      if (join(this.#all, other) !== this.#folder) await removeFolder(join(this.#all, other))
    for (const id of readdirSync(this.#folder)) {
      const { mtimeMs } = statSync(join(this.#folder, id))
      this.#idle.set(id, { lastUsed: mtimeMs, size: undefined })
    }
  }

  async #release(id: string, size: number | undefined): Promise<void> {
    this.#busy.delete(id)
    this.#idle.set(id, { lastUsed: Date.now(), size })
    while (this.#idle.size > this.#keep) await this.remove([...this.#idle.keys()][0]!)
  }
}

/** One copy, for the time of one build. */
export class Mirror {
  /** The files. */
  readonly root: HostPath
  readonly #record: HostPath
  readonly #free: (size: number) => Promise<void>
  #known: ReadonlyMap<string, KnownEntry>
  #writer: MirrorWriter | undefined

  private constructor(folder: HostPath, known: ReadonlyMap<string, KnownEntry>, free: (size: number) => Promise<void>) {
    this.root = join(folder, 'files')
    this.#record = join(folder, 'mirror.json')
    this.#known = known
    this.#free = free
  }

  static async open(folder: HostPath, free: (size: number) => Promise<void>): Promise<Mirror> {
    const root = join(folder, 'files')
    await ensureDirectory(folder)
    await mkdir(root, { recursive: true })
    // whatever umask the engine has: users of a build look into it where it is mounted
    await chmod(root, 0o755)
    return new Mirror(folder, (await readKnown(join(folder, 'mirror.json'))) ?? (await readMirror(root)), free)
  }

  /** Changes all but the content of files; answers what is made new, files among it to be opened. */
  async begin(sent: readonly FileEntry[]): Promise<readonly FileEntry[]> {
    const changes = mirrorChanges(this.#known, sent)
    if (changes.removed.length + changes.made.length + changes.touched.length > 0) {
      rmSync(this.#record, { force: true })
      this.#writer = new MirrorWriter(this.root)
      await this.#writer.begin(changes, sent)
    }
    return changes.made
  }

  open(entry: FileEntry): FileReceiver {
    return this.#writer!.open(entry)
  }

  /** `whole`: what is there now as the client has it. */
  async end(whole: readonly FileEntry[]): Promise<void> {
    this.#writer?.end()
    this.#writer = undefined
    this.#known = new Map(whole.map(entry => [entry.path, entry]))
    if (!existsSync(this.#record)) await writeRecord(this.#record, { version: 1, files: whole.map(rowOf) })
  }

  async release(): Promise<void> {
    await this.#free(this.#known.values().reduce((sum, { size }) => sum + size, 0))
  }
}

type Row = readonly [string, KnownEntry['kind'], number, number, string, string, Readonly<Record<string, string>>]

function rowOf({ path, kind, mode, size, modified, link, xattrs }: FileEntry): Row {
  const attributes = Object.fromEntries([...xattrs].map(([name, value]) => [name, value.toString('base64')]))
  return [path, kind, mode, size, String(modified), link, attributes]
}

/** Undefined when nothing can be known but by looking. */
async function readKnown(path: HostPath): Promise<Map<string, KnownEntry> | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const { version, files } = JSON.parse(text) as { readonly version: number; readonly files: readonly Row[] }
    if (version !== 1) return undefined
    return new Map(
      files.map(([path, kind, mode, size, modified, link, xattrs]) => {
        const attributes = Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value, 'base64')] as const)
        return [path, { path, kind, mode, size, modified: BigInt(modified), link, xattrs: new Map(attributes) }]
      }),
    )
  } catch {
    // damaged: what is there is looked at instead
    return undefined
  }
}
