/** Named and anonymous volumes: records, and the folder or mount behind each. */
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { Failure } from '../../lib/failure.ts'
import { newId } from '../../lib/ids.ts'
import type { HostPath, RootPath } from '../../runtime/spec.ts'
import type { Events } from '../base/events.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import type { Paths } from '../base/paths.ts'
import { removeFolder } from '../base/remove-folder.ts'
import { ensureDirectory, readRecord, writeRecord } from '../base/store.ts'
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

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

export class Volumes {
  readonly #paths: Paths
  readonly #events: Events
  readonly #volumes = new Map<string, Volume>()
  readonly #lock = new KeyedLock()

  private constructor(paths: Paths, events: Events) {
    this.#paths = paths
    this.#events = events
  }

  static async open(paths: Paths, events: Events): Promise<Volumes> {
    const volumes = new Volumes(paths, events)
    await ensureDirectory(paths.volumes)
    const names = await readdir(paths.volumes)
    await Promise.all(names.map(name => volumes.#read(name)))
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
      await rename(this.#paths.volume(name), doomed)
      this.#volumes.delete(name)
      await removeFolder(doomed)
      this.#events.emit('volume', 'destroy', name, { driver: 'local' })
    })
  }

  mountpoint(name: string): HostPath {
    return this.get(name).mountpoint
  }

  /** What a container is to mount for it. */
  source(name: string): VolumeSource {
    const { options, mountpoint } = this.get(name)
    return volumeSource(name, mountpoint, options)
  }

  /** Copies what the image has at `path` into the volume when that is empty: owner, mode, times, links and the folder's own. */
  async populate(name: string, layers: readonly HostPath[], path: RootPath): Promise<void> {
    const source = this.source(name)
    // a mount of the user's own is not filled behind their back
    if (source.kind !== 'bind' || source.source !== this.mountpoint(name)) return
    const { populate } = await import('./populate.ts')
    await this.#lock.run(name, () => populate(source.source, this.#paths.volume(name), layers, path))
  }

  async #make(record: VolumeRecord): Promise<void> {
    const folder = this.#temporary()
    const data = join(folder, '_data')
    await mkdir(folder, { mode: 0o700 })
    try {
      await mkdir(data)
      await chmod(data, 0o755)
      await writeRecord(join(folder, 'volume.json'), record, { sync: true })
      await rename(folder, this.#paths.volume(record.name))
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Names of volumes never start with a dot, so what does is something unfinished. */
  async #read(name: string): Promise<void> {
    if (name.startsWith('.')) return await removeFolder(join(this.#paths.volumes, name))
    const record = await readRecord(join(this.#paths.volume(name), 'volume.json'), recordVersion, recordSchema)
    if (record === undefined) {
      throw new Failure('internal', `Cannot read volume "${name}": "${this.#paths.volume(name)}" has no volume.json`, {
        hint: 'Move the folder away, or restore its volume.json',
      })
    }
    this.#add(record)
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

function checkName(name: string): void {
  if (namePattern.test(name) && name.length <= 255) return
  throw new Failure(
    'invalid',
    name.length === 1
      ? `create ${name}: volume name is too short, names should be at least two alphanumeric characters`
      : `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  )
}
