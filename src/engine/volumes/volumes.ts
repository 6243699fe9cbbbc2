/** Named and anonymous volumes: records, and the folder or mount behind each. */
import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { debug } from '../../lib/debug.ts'
import { errnoOf, Failure, messageOf } from '../../lib/failure.ts'
import { newId } from '../../lib/ids.ts'
import type { HostPath, RootPath } from '../../runtime/spec.ts'
import { Aside } from '../base/aside.ts'
import type { Events } from '../base/events.ts'
import { folderSize } from '../base/folder-size.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import type { Paths } from '../base/paths.ts'
import { removeFolder } from '../base/remove-folder.ts'
import { type RecordKind, writeRecord } from '../base/store.ts'
import { type VolumeSource, volumeSource } from './driver-options.ts'

export interface Volume {
  readonly name: string
  readonly driver: 'local'
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly created: Date
  /** Docker's Mountpoint: the folder of ours, even when the options put something else there. */
  readonly mountpoint: HostPath
}

export interface VolumeCreate {
  /** Empty or undefined: an anonymous volume, 64 hex digits. */
  readonly name?: string | undefined
  readonly driver?: string | undefined
  readonly driverOpts?: Readonly<Record<string, string>> | null | undefined
  readonly labels?: Readonly<Record<string, string>> | null | undefined
}

export interface VolumeCloned {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>> | null | undefined
}

export interface VolumeRemove {
  /** A missing volume is fine. */
  readonly force?: boolean | undefined
  /** Ids of the containers that mount it. */
  readonly usedBy: (name: string) => readonly string[]
}

const recordVersion = 1
const recordSchema = z.object({
  version: z.literal(recordVersion),
  name: z.string(),
  options: z.record(z.string(), z.string()),
  labels: z.record(z.string(), z.string()),
  /** Milliseconds since the epoch. */
  created: z.number(),
})
type VolumeRecord = z.infer<typeof recordSchema>
const volumeKind: RecordKind<VolumeRecord> = { version: recordVersion, schema: recordSchema }

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

export class Volumes {
  readonly #paths: Paths
  readonly #events: Events
  readonly #aside: Aside
  readonly #volumes = new Map<string, Volume>()
  readonly #lock = new KeyedLock()

  private constructor(paths: Paths, events: Events, aside: Aside) {
    this.#paths = paths
    this.#aside = aside
    this.#events = events
  }

  static async open(paths: Paths, events: Events, aside = new Aside(paths, debug('volumes'))): Promise<Volumes> {
    const volumes = new Volumes(paths, events, aside)
    await aside.folder(paths.volumes)
    const names = await readdir(paths.volumes)
    await Promise.all(
      names.map(async name => {
        try {
          await volumes.#read(name)
        } catch (error) {
          aside.say(`Cannot use volume "${name}": ${messageOf(error)}`)
        }
      }),
    )
    return volumes
  }

  /** Makes a volume; one of that name that is there already is returned as it is. Docker's texts. */
  async create(options: VolumeCreate): Promise<Volume> {
    const anonymous = options.name === undefined || options.name === ''
    const name = anonymous ? newId() : options.name!
    checkName(name)
    if (options.driver !== undefined && options.driver !== '' && options.driver !== 'local') {
      throw new Failure(
        'not-found',
        `create ${name}: error looking up volume plugin ${options.driver}: plugin "${options.driver}" not found`,
      )
    }
    return await this.#lock.run(name, async () => {
      const existing = this.#volumes.get(name)
      if (existing) return existing
      const record: VolumeRecord = {
        version: recordVersion,
        name,
        options: { ...options.driverOpts },
        labels: { ...options.labels, ...(anonymous && { 'com.docker.volume.anonymous': '' }) },
        created: Date.now(),
      }
      volumeSource(name, this.#paths.volumeData(name), record.options)
      await this.#make(record)
      const volume = this.#add(record)
      this.#events.emit('volume', 'create', name, { driver: volume.driver })
      return volume
    })
  }

  /**
   * Makes a volume with what is in another at the moment, by reflink where the file system has it.
   * @throws Failure `conflict` for a name that is taken, `unsupported` for a volume that is a mount of its options.
   */
  async clone(from: string, { name, labels }: VolumeCloned): Promise<Volume> {
    checkName(name)
    return await this.#lock.run(name, async () => {
      if (this.#volumes.has(name)) throw new Failure('conflict', `Cannot make volume "${name}": there is one`)
      const { mountpoint, options } = this.get(from)
      if (Object.keys(options).length > 0)
        throw new Failure('unsupported', `Cannot clone volume "${from}": its data is where its options say`)
      const record: VolumeRecord = {
        version: recordVersion,
        name,
        options: {},
        labels: { ...labels },
        created: Date.now(),
      }
      const { copyTree } = await import('./copy-tree.ts')
      await this.#make(record, data => copyTree(mountpoint, data))
      const volume = this.#add(record)
      this.#events.emit('volume', 'create', name, { driver: volume.driver })
      return volume
    })
  }

  find(name: string): Volume | undefined {
    return this.#volumes.get(name)
  }

  /** @throws Failure `not-found` with Docker's text. */
  get(name: string): Volume {
    const volume = this.find(name)
    if (volume === undefined) throw new Failure('not-found', `get ${name}: no such volume`)
    return volume
  }

  /** Sorted by name. */
  list(): readonly Volume[] {
    return [...this.#volumes.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** @throws Failure `conflict` naming the containers that use it. */
  async remove(name: string, { force, usedBy }: VolumeRemove): Promise<void> {
    await this.#lock.run(name, async () => {
      if (force && this.find(name) === undefined) return
      this.get(name)
      const users = usedBy(name)
      if (users.length > 0) {
        throw new Failure('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`)
      }
      // out of the way first: what is being deleted must not be found as a volume by the next engine
      const doomed = this.#temporary()
      try {
        await rename(this.#paths.volume(name), doomed)
      } catch (error) {
        // somebody removed it by hand
        if (errnoOf(error) !== 'ENOENT') throw error
      }
      this.#volumes.delete(name)
      await removeFolder(doomed)
      this.#events.emit('volume', 'destroy', name, { driver: 'local' })
    })
  }

  mountpoint(name: string): HostPath {
    return this.get(name).mountpoint
  }

  /** Bytes of its files. */
  async size(name: string): Promise<number> {
    return await folderSize(this.mountpoint(name))
  }

  /** A prune is over: how many bytes it gave back. */
  tellPruned(reclaimed: number): void {
    this.#events.emit('volume', 'prune', '', { reclaimed: String(reclaimed) })
  }

  /** What a container is to mount for it. */
  source(name: string): VolumeSource {
    const { options, mountpoint } = this.get(name)
    return volumeSource(name, mountpoint, options)
  }

  /** Copies what the image has at `path` into the volume, or a part of it, when that is empty: owner, mode, times, links and the folder's own. */
  async populate(
    { name, subpath = '' }: { readonly name: string; readonly subpath?: RootPath | undefined },
    layers: readonly HostPath[],
    path: RootPath,
  ): Promise<void> {
    const source = this.source(name)
    // a mount of the user's own is not filled behind their back
    if (source.kind !== 'bind' || source.source !== this.mountpoint(name)) return
    const { populate } = await import('./populate.ts')
    const place = { data: source.source, subpath, folder: this.#paths.volume(name) }
    await this.#lock.run(name, () => populate(place, layers, path))
  }

  async #make(record: VolumeRecord, fill?: (data: HostPath) => Promise<void>): Promise<void> {
    const folder = this.#temporary()
    const data = join(folder, '_data')
    await mkdir(folder, { mode: 0o700 })
    try {
      await mkdir(data)
      await chmod(data, 0o755)
      await fill?.(data)
      await writeRecord(join(folder, basename(this.#paths.volumeRecord(record.name))), record, { sync: true })
      await rename(folder, this.#paths.volume(record.name))
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Names of volumes never start with a dot, so what does is something unfinished. */
  async #read(name: string): Promise<void> {
    if (name.startsWith('.')) return await removeFolder(join(this.#paths.volumes, name))
    if (!isName(name)) return
    const folder = this.#paths.volume(name)
    const loaded = await this.#aside.load(this.#paths.volumeRecord(name), volumeKind)
    if (loaded.kind === 'newer') return
    if (loaded.kind === 'whole' && loaded.record.name === name) {
      this.#add(loaded.record)
      return
    }
    const data = await filesIn(this.#paths.volumeData(name))
    // one that stands for a mount of its options has no data here: without them nobody knows what it was
    if (data.length === 0)
      return this.#aside.keep(folder, `Cannot use "${folder}" as a volume: it has no record and no data`)
    const record: VolumeRecord = {
      version: recordVersion,
      name,
      options: {},
      labels: {},
      created: Math.round((await stat(folder)).birthtimeMs),
    }
    this.#add(record)
    this.#aside.say(`Volume "${name}" has no record: its data is there, its labels are lost`)
    await writeRecord(this.#paths.volumeRecord(name), record, { sync: true })
  }

  #add({ name, options, labels, created }: VolumeRecord): Volume {
    const mountpoint = this.#paths.volumeData(name)
    const volume: Volume = { name, driver: 'local', options, labels, created: new Date(created), mountpoint }
    this.#volumes.set(name, volume)
    return volume
  }

  #temporary(): HostPath {
    return join(dirname(this.#paths.volume('x')), `.${newId().slice(0, 16)}`)
  }
}

async function filesIn(folder: HostPath): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return []
    throw error
  }
}

function isName(name: string): boolean {
  return namePattern.test(name) && name.length <= 255
}

function checkName(name: string): void {
  if (isName(name)) return
  throw new Failure(
    'invalid',
    name.length === 1
      ? `create ${name}: volume name is too short, names should be at least two alphanumeric characters`
      : `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  )
}
