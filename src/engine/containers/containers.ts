/** The collection of containers: finds one by id, name or prefix, and hands each verb what it needs, one verb at a time for each. */
import type { ContainerCreate, ContainerUpdate, EndpointSettings } from '../../api/container-body.ts'
import type {
  ContainerInspect,
  ContainerProgram,
  ContainerStats,
  ContainerSummary,
  ContainerTop,
  ContainerWaited,
  FileChange,
} from '../../api/containers.ts'
import type { Archive, Output, PathStat, Session } from '../../api/endpoint.ts'
import type { Filters } from '../../api/filters.ts'
import { Failure, isFailure, messageOf } from '../../lib/failure.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import type { ProbeHold, ProbeOutcome } from '../health/schedule.ts'
import type { Image } from '../images/image.ts'
import { type EndedCommand, keepCommand } from './build/keep-command.ts'
import { Collection } from './collection.ts'
import { splitLinkName } from './config/links.ts'
import type { Container } from './container.ts'
import type { WriteOptions } from './files/archive-write.ts'
import { Life } from './life.ts'
import { mend } from './mend.ts'
import { type Parts, tell } from './parts.ts'
import { Records } from './records.ts'
import { seatsOf } from './seats.ts'
import { inspect, summary } from './show/inspect.ts'
import { type ListOptions, selectContainers } from './show/list.ts'
import { mendedStats, type StatsOptions } from './show/mended-stats.ts'
import { shownProgram } from './show/program.ts'
import { startAll } from './start-with-engine.ts'
import { type AttachOptions, attach } from './stdio/attach.ts'
import { type LogsOptions, logs } from './stdio/logs.ts'
import { takeOver } from './take-over.ts'
import type { ContainerCommit } from './verbs/commit.ts'
import { connect, disconnect } from './verbs/connect.ts'
import { create } from './verbs/create.ts'
import { type DrainOptions, drain } from './verbs/drain.ts'
import { handOver, inOrder } from './verbs/hand-over.ts'
import { kill } from './verbs/kill.ts'
import { pause, unpause } from './verbs/pause.ts'
import { prune } from './verbs/prune.ts'
import { beforeRemoval, checkRemovable, type RemoveRequest, remove } from './verbs/remove.ts'
import { rename } from './verbs/rename.ts'
import { resize, type WindowSize } from './verbs/resize.ts'
import { type Attended, shownSpec, start } from './verbs/start.ts'
import { type StopOptions, stop } from './verbs/stop.ts'
import { unlink } from './verbs/unlink.ts'
import { checkCondition, wait } from './verbs/wait.ts'

/** What the collection is handed beside the parts. */
export interface ContainersOptions {
  /** Runs a health check's test in a container. */
  readonly probe: (container: Container, test: readonly string[], hold: ProbeHold) => Promise<ProbeOutcome>
  /** A container is gone: so are its execs. */
  readonly onRemoved: (container: Container) => void
}

export class Containers {
  readonly #parts: Parts
  readonly #options: ContainersOptions
  readonly #records: Records
  readonly #collection = new Collection()
  readonly #lock = new KeyedLock()
  readonly #life: Life
  /** Ids of containers whose record is lost, until `adopt`. */
  #lost: readonly string[] = []

  private constructor(parts: Omit<Parts, 'all' | 'get'>, options: ContainersOptions) {
    this.#parts = { ...parts, all: () => this.#collection.all(), get: ref => this.#collection.get(ref) }
    this.#options = options
    this.#records = new Records(this.#parts)
    this.#life = new Life(this.#parts, {
      probe: options.probe,
      restart: container => this.#restartByPolicy(container),
      remove: container =>
        this.#lock.run(container.id, async () => {
          if (this.#collection.has(container)) await this.#remove(container, true)
        }),
    })
  }

  /** Reads all records; nothing is taken over before `adopt`. */
  static async open(parts: Omit<Parts, 'all' | 'get'>, options: ContainersOptions): Promise<Containers> {
    const containers = new Containers(parts, options)
    const loaded = await containers.#records.load()
    for (const container of loaded.containers) containers.#collection.adopt(container)
    containers.#lost = loaded.lost
    return containers
  }

  /** What its verbs use; the execs share it. */
  get parts(): Parts {
    return this.#parts
  }

  /** Takes over what the engine before left running, and starts what is to start with the engine, if it is of these labels. */
  async adopt(isMeant = (_labels: Readonly<Record<string, string>>) => true): Promise<void> {
    const remove = (container: Container) => this.remove(container.id, { volumes: true })
    await takeOver(this.#parts, { lost: this.#lost, life: this.#life, isMeant, remove })
    await startAll(this.#parts, { isMeant, start: container => this.start(container.id, { unattended: true }) })
  }

  /** By full id, exact name (with or without its slash), unique id prefix. @throws Failure not-found, or invalid when ambiguous. */
  get(ref: string): Container {
    return this.#collection.get(ref)
  }

  find(ref: string): Container | undefined {
    return this.#collection.find(ref)
  }

  async list(options: ListOptions = {}): Promise<ContainerSummary[]> {
    const { size = false, live = false } = options
    return Promise.all(
      selectContainers(this.#parts, options).map(container => summary(this.#parts, container, { size, live })),
    )
  }

  async create(options: {
    readonly name?: string | undefined
    readonly platform?: string | undefined
    readonly strict?: boolean | undefined
    readonly body: ContainerCreate
  }): Promise<{ Id: string; Warnings: string[] }> {
    return create(this.#parts, { ...options, ...seatsOf(this.#collection, this.#records) })
  }

  /** A build's command that has ended stays as a container. */
  keepCommand(ended: EndedCommand): Promise<void> {
    return keepCommand(this.#parts, ended, seatsOf(this.#collection, this.#records))
  }

  async inspect(ref: string, options: { readonly size?: boolean } = {}): Promise<ContainerInspect> {
    return inspect(this.#parts, this.get(ref), options)
  }

  start(ref: string, options: Attended = {}): Promise<void> {
    const successorOf = options.successorOf === undefined ? undefined : this.get(options.successorOf).id
    return this.#locked(ref, container => this.#start(container, { ...options, successorOf }))
  }

  /** Its ports and names are another's from now on, while both run. */
  async handOver(ref: string, to: string): Promise<void> {
    const pair = { from: this.get(ref), to: this.get(to) }
    const [first, second] = inOrder(pair)
    await this.#locked(first.id, () => this.#locked(second.id, () => handOver(this.#parts, pair)))
  }

  /** Not behind the lock: it changes nothing, and may take long. */
  async drain(ref: string, options: DrainOptions): Promise<{ Left: number }> {
    return { Left: await drain(this.get(ref), options) }
  }

  /** What is removed at its end is gone by then. */
  async stop(ref: string, options: StopOptions = {}): Promise<void> {
    const { id } = this.get(ref)
    await this.#locked(id, container => stop(this.#parts, container, options))
    // its removal, if there is one, has had its turn in line since before its end was told
    await this.#lock.run(id, async () => {})
  }

  /** Stops and starts; its network stays, so that those who share it do not notice. */
  restart(ref: string, options: StopOptions = {}): Promise<void> {
    return this.#mended(ref, async container => {
      container.restarting = true
      try {
        if (container.running || container.state.status === 'restarting') await stop(this.#parts, container, options)
        container.restarting = false
        await this.#start(container)
      } catch (error) {
        if (isFailure(error, 'not-found') || isFailure(error, 'invalid')) throw error
        throw new Failure('internal', `Cannot restart container ${ref}: ${messageOf(error)}`, { cause: error })
      } finally {
        container.restarting = false
      }
      tell(this.#parts, container, 'restart')
    })
  }

  /** Not behind the lock: a signal has to reach a container that a long `stop` is waiting for. */
  async kill(ref: string, signal = 'SIGKILL'): Promise<void> {
    await kill(this.#parts, () => this.get(ref), { signal, ref })
  }

  async remove(ref: string, options: RemoveRequest = {}): Promise<void> {
    const container = this.get(ref)
    const end = () => kill(this.#parts, () => container, { signal: 'SIGKILL', ref: container.name })
    await beforeRemoval(container, options, end)
    await this.#lock.run(container.id, async () => {
      // AutoRemove may have been there first
      if (!this.#collection.has(container)) return
      await beforeRemoval(container, options, end)
      checkRemovable(container, options)
      await this.#remove(container, options.volumes ?? false, options.keepsLogAs)
    })
  }

  /** Takes away a link by its name, "web/store". The container it leads to stays. */
  async removeLink(ref: string): Promise<void> {
    const container = this.get(ref)
    const link = splitLinkName(ref)
    if (!link) throw new Failure('internal', 'Conflict, cannot remove the default link name of the container')
    await this.#locked(link.from, from =>
      unlink(this.#parts, from, { alias: link.alias, container, save: changed => this.#records.save(changed) }),
    )
  }

  rename(ref: string, name: string): Promise<void> {
    return this.#locked(ref, async container => {
      const old = container.name
      await rename(this.#parts, container, {
        name,
        reserve: wanted => this.#collection.reserve(container.id, wanted),
        save: changed => this.#records.save(changed),
      })
      this.#collection.release(old)
    })
  }

  /** Throws before the first item when there is no such container, so that headers can go out at once. */
  wait(
    ref: string,
    { condition, signal }: { readonly condition?: string; readonly signal: AbortSignal },
  ): AsyncIterable<ContainerWaited> {
    return wait(this.get(ref), checkCondition(condition), signal)
  }

  pause(ref: string): Promise<void> {
    return this.#mended(ref, container => pause(this.#parts, container))
  }

  unpause(ref: string): Promise<void> {
    return this.#mended(ref, container => unpause(this.#parts, container))
  }

  update(ref: string, body: ContainerUpdate): Promise<{ Warnings: string[] | null }> {
    return this.#mended(ref, async container => {
      const { update } = await import('./verbs/update.ts')
      return update(this.#parts, container, { body, save: changed => this.#records.save(changed) })
    })
  }

  prune(filters: Filters): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
    return prune(this.#parts, filters, container => this.remove(container.id))
  }

  async attach(ref: string, options: AttachOptions): Promise<Session> {
    return attach(this.#parts, this.get(ref), options)
  }

  async resize(ref: string, size: WindowSize): Promise<void> {
    resize(this.#parts, this.get(ref), size)
  }

  async logs(ref: string, options: LogsOptions): Promise<Output> {
    return logs(this.#parts, this.get(ref), options)
  }

  async top(ref: string, psArgs?: string): Promise<ContainerTop> {
    const container = this.get(ref)
    await mend(this.#parts, container)
    const { top } = await import('./show/top.ts')
    return top(this.#parts, container, psArgs)
  }

  /** One sample, or one a second while `stream`. */
  stats(ref: string, options: StatsOptions): AsyncIterable<ContainerStats> {
    return mendedStats(this.#parts, this.get(ref), options)
  }

  async statPath(ref: string, path: string): Promise<PathStat> {
    const container = this.get(ref)
    const { statPath } = await import('./files/archive.ts')
    return statPath(this.#parts, container, { path, ref })
  }

  async readArchive(ref: string, path: string): Promise<Archive> {
    const container = this.get(ref)
    const { readArchive } = await import('./files/archive.ts')
    return readArchive(this.#parts, container, { path, ref })
  }

  writeArchive(ref: string, options: Omit<WriteOptions, 'ref'>): Promise<void> {
    return this.#locked(ref, async container => {
      const { writeArchive } = await import('./files/archive-write.ts')
      await writeArchive(this.#parts, container, { ...options, ref })
    })
  }

  async changes(ref: string): Promise<FileChange[]> {
    const container = this.get(ref)
    const { changes } = await import('./files/changes.ts')
    return changes(this.#parts, container)
  }

  async exportRoot(ref: string): Promise<Archive> {
    const container = this.get(ref)
    const { exportRoot } = await import('./files/archive.ts')
    return exportRoot(this.#parts, container)
  }

  commit(ref: string, options: ContainerCommit): Promise<Image> {
    return this.#locked(ref, async container => {
      const { commit } = await import('./verbs/commit.ts')
      return commit(this.#parts, container, options)
    })
  }

  connect(ref: string, network: string, settings: EndpointSettings): Promise<void> {
    return this.#mended(ref, container =>
      connect(this.#parts, container, { network, settings, save: changed => this.#records.save(changed) }),
    )
  }

  disconnect(ref: string, network: string, { force }: { readonly force: boolean }): Promise<void> {
    return this.#mended(ref, container =>
      disconnect(this.#parts, container, { network, force, save: changed => this.#records.save(changed) }),
    )
  }

  /** The program that runs it, or would: what `explain` prints. */
  async program(ref: string): Promise<ContainerProgram> {
    return shownProgram(this.#parts.runtime.explain(await shownSpec(this.#parts, this.get(ref))))
  }

  usersOfImage(imageId: string): ReturnType<Collection['usersOfImage']> {
    return this.#collection.usersOfImage(imageId)
  }

  usersOfVolume(name: string): string[] {
    return this.#collection.usersOfVolume(name)
  }

  counts(): ReturnType<Collection['counts']> {
    return this.#collection.counts()
  }

  /** Containers run on; nothing is started or probed any more. */
  async close(): Promise<void> {
    const all = [...this.#collection.all()]
    await this.#life.close(all)
    await Promise.all(
      all.map(async container => {
        if (container.state.status !== 'created') await container.save()
        await container.close()
      }),
    )
  }

  async #locked<T>(ref: string, work: (container: Container) => Promise<T>): Promise<T> {
    const container = this.get(ref)
    return this.#lock.run(container.id, () => {
      // gone while it waited for its turn
      if (!this.#collection.has(container)) throw new Failure('not-found', `No such container: ${ref}`)
      return work(container)
    })
  }

  /** What the work needs of the kernel is there, if anybody can make it. */
  #mended<T>(ref: string, work: (container: Container) => Promise<T>): Promise<T> {
    return this.#locked(ref, async container => {
      await mend(this.#parts, container)
      return work(container)
    })
  }

  async #start(container: Container, options: Attended = {}): Promise<void> {
    try {
      await start(this.#parts, container, { ...options, onStarted: (c, process) => this.#life.started(c, process) })
    } catch (error) {
      if (container.record.hostConfig.AutoRemove && !container.running && !isFailure(error, 'not-modified'))
        await this.#remove(container, true)
      throw error
    }
  }

  #restartByPolicy(container: Container): Promise<void> {
    return this.#lock.run(container.id, async () => {
      if (container.state.status !== 'restarting') return
      container.note({ restartCount: container.state.restartCount + 1 })
      await this.#start(container, { unattended: true })
    })
  }

  async #remove(container: Container, volumes: boolean, keepsLogAs?: string): Promise<void> {
    await remove(this.#parts, container, {
      volumes,
      keepsLogAs,
      usersOfVolume: name => this.usersOfVolume(name),
      forget: gone => {
        this.#collection.forget(gone)
        this.#options.onRemoved(gone)
      },
    })
  }
}
