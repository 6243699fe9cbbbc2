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
import { debug } from '../../lib/debug.ts'
import { Failure, isFailure, messageOf } from '../../lib/failure.ts'
import type { Exit, Supervised } from '../../runtime/runtime.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import { HealthSchedule, type ProbeOutcome } from '../health/schedule.ts'
import { healthPlan, startingHealth } from '../health/state.ts'
import type { Image } from '../images/image.ts'
import { readLog } from '../logs/read.ts'
import { adopt } from './adopt.ts'
import { startsWithEngine } from './config/restart-policy.ts'
import type { Container } from './container.ts'
import { type AfterExit, exited } from './exited.ts'
import { Names } from './names.ts'
import { type Parts, tell } from './parts.ts'
import { Records } from './records.ts'
import { inspect, summary } from './show/inspect.ts'
import { type ListOptions, selectContainers } from './show/list.ts'
import { type AttachOptions, attach } from './stdio/attach.ts'
import type { ContainerCommit } from './verbs/commit.ts'
import { connect, disconnect } from './verbs/connect.ts'
import { create } from './verbs/create.ts'
import { kill } from './verbs/kill.ts'
import { pause, unpause } from './verbs/pause.ts'
import { selectPruned } from './verbs/prune.ts'
import { remove } from './verbs/remove.ts'
import { rename } from './verbs/rename.ts'
import { shownSpec, start } from './verbs/start.ts'
import { type StopOptions, stop } from './verbs/stop.ts'
import { checkCondition, wait } from './verbs/wait.ts'

const log = debug('containers')

export interface LogsOptions {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly follow?: boolean | undefined
  /** "all", "" or a number of lines. */
  readonly tail?: string | undefined
  /** Nanoseconds since the epoch. */
  readonly since?: bigint | undefined
  readonly until?: bigint | undefined
  readonly timestamps?: boolean | undefined
  readonly details?: boolean | undefined
  readonly signal: AbortSignal
}

/** What the collection is handed beside the parts. */
export interface ContainersOptions {
  /** Runs a health check's test in a container. */
  readonly probe: (container: Container, test: readonly string[], signal: AbortSignal) => Promise<ProbeOutcome>
  /** A container is gone: so are its execs. */
  readonly onRemoved: (container: Container) => void
}

export class Containers {
  readonly #parts: Parts
  readonly #options: ContainersOptions
  readonly #records: Records
  readonly #names = new Names()
  readonly #containers = new Map<string, Container>()
  readonly #lock = new KeyedLock()
  /** What follows an exit, until it is done. */
  readonly #following = new Set<Promise<void>>()
  #closed = false

  private constructor(parts: Omit<Parts, 'all' | 'get'>, options: ContainersOptions) {
    this.#parts = { ...parts, all: () => this.#containers.values(), get: ref => this.get(ref) }
    this.#options = options
    this.#records = new Records(parts.paths)
  }

  /** Reads all records; nothing is taken over before `adopt`. */
  static async open(parts: Omit<Parts, 'all' | 'get'>, options: ContainersOptions): Promise<Containers> {
    const containers = new Containers(parts, options)
    for (const container of await containers.#records.load(parts.boot)) {
      containers.#containers.set(container.id, container)
      containers.#names.adopt(container.id, container.name)
    }
    return containers
  }

  /** What its verbs use; the execs share it. */
  get parts(): Parts {
    return this.#parts
  }

  /** Takes over what the engine before left running, and starts what is to start with the engine. */
  async adopt(): Promise<void> {
    const all = [...this.#containers.values()]
    const idle = await Promise.all(all.map(container => this.#adopt(container)))
    await Promise.all(
      idle
        .filter(container => container !== undefined)
        .map(async container => {
          const { record, state } = container
          if (!state.startedAt || !startsWithEngine(record.hostConfig.RestartPolicy, state)) return
          try {
            await this.start(container.id)
          } catch (error) {
            // Its state says why; the others are to start all the same.
            log('cannot start %s with the engine: %s', container.name, messageOf(error))
          }
        }),
    )
  }

  /** The container, when it does not run. */
  async #adopt(container: Container): Promise<Container | undefined> {
    const adopted = await adopt(this.#parts, container)
    switch (adopted.kind) {
      case 'running':
        container.process = adopted.process
        this.#started(container, adopted.process)
        return undefined
      case 'exited':
        this.#follow(container, Promise.resolve(adopted.exit))
        await container.settled
        return undefined
      case 'idle':
        if (container.record.hostConfig.AutoRemove && container.state.startedAt) {
          await this.remove(container.id, { volumes: true })
          return undefined
        }
        return container
      default:
        return adopted satisfies never
    }
  }

  /** By full id, exact name (with or without its slash), unique id prefix. @throws Failure not-found, or invalid when ambiguous. */
  get(ref: string): Container {
    const found = this.find(ref)
    if (!found) throw new Failure('not-found', `No such container: ${ref}`)
    return found
  }

  find(ref: string): Container | undefined {
    const byId = this.#containers.get(ref)
    if (byId) return byId
    const named = this.#names.get(ref.replace(/^\//, ''))
    if (named !== undefined) return this.#containers.get(named)
    if (!/^[0-9a-f]{1,63}$/.test(ref)) return undefined
    let found: Container | undefined
    for (const container of this.#containers.values()) {
      if (!container.id.startsWith(ref)) continue
      if (found) throw new Failure('invalid', `multiple IDs found with provided prefix: ${ref}`)
      found = container
    }
    return found
  }

  async list(options: ListOptions = {}): Promise<ContainerSummary[]> {
    const size = options.size ?? false
    return Promise.all(
      selectContainers(this.#parts, options).map(container => summary(this.#parts, container, { size })),
    )
  }

  async create(options: {
    readonly name?: string | undefined
    readonly platform?: string | undefined
    readonly body: ContainerCreate
  }): Promise<{ Id: string; Warnings: string[] }> {
    return create(this.#parts, {
      ...options,
      reserve: (id, name) => this.#names.reserve(id, name, this.#containers.keys()),
      release: name => this.#names.release(name),
      add: async container => {
        await this.#records.save(container)
        this.#containers.set(container.id, container)
      },
    })
  }

  async inspect(ref: string, options: { readonly size?: boolean } = {}): Promise<ContainerInspect> {
    return inspect(this.#parts, this.get(ref), options)
  }

  start(ref: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#locked(ref, container => this.#start(container, signal))
  }

  stop(ref: string, options: StopOptions = {}): Promise<void> {
    return this.#locked(ref, container => stop(this.#parts, container, options))
  }

  /** Stops and starts; its network stays, so that those who share it do not notice. */
  restart(ref: string, options: StopOptions = {}): Promise<void> {
    return this.#locked(ref, async container => {
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
    await kill(this.#parts, this.get(ref), { signal, ref })
  }

  async remove(
    ref: string,
    options: { readonly force?: boolean; readonly volumes?: boolean; readonly link?: boolean } = {},
  ): Promise<void> {
    if (options.link) throw new Failure('unsupported', 'Cannot remove a link: legacy links are not supported')
    const container = this.get(ref)
    if (options.force && container.running) await this.#killForRemoval(container)
    await this.#lock.run(container.id, async () => {
      // AutoRemove may have been there first
      if (!this.#containers.has(container.id)) return
      if (options.force && container.running) await this.#killForRemoval(container)
      if (container.running || (container.state.status === 'restarting' && !options.force))
        throw new Failure(
          'conflict',
          `cannot remove container "${container.name}": container is ${container.state.status}: stop the container before removing or force remove`,
        )
      await this.#remove(container, options.volumes ?? false)
    })
  }

  rename(ref: string, name: string): Promise<void> {
    return this.#locked(ref, async container => {
      const old = container.name
      await rename(this.#parts, container, {
        name,
        reserve: wanted => this.#names.reserve(container.id, wanted, this.#containers.keys()),
        save: changed => this.#records.save(changed),
      })
      this.#names.release(old)
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
    return this.#locked(ref, container => pause(this.#parts, container))
  }

  unpause(ref: string): Promise<void> {
    return this.#locked(ref, container => unpause(this.#parts, container))
  }

  update(ref: string, body: ContainerUpdate): Promise<{ Warnings: string[] | null }> {
    return this.#locked(ref, async container => {
      const { update } = await import('./verbs/update.ts')
      return update(this.#parts, container, { body, save: changed => this.#records.save(changed) })
    })
  }

  async prune(filters: Filters): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
    const removed: string[] = []
    let reclaimed = 0
    for (const container of selectPruned(this.#parts, filters)) {
      const { SizeRw = 0 } = await inspect(this.#parts, container, { size: true })
      try {
        await this.remove(container.id)
      } catch (error) {
        // started or removed by someone else in the meantime
        if (isFailure(error, 'conflict') || isFailure(error, 'not-found')) continue
        throw error
      }
      removed.push(container.id)
      reclaimed += SizeRw
    }
    return { ContainersDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: reclaimed }
  }

  async attach(ref: string, options: AttachOptions): Promise<Session> {
    return attach(this.#parts, this.get(ref), options)
  }

  async resize(ref: string, { rows, columns }: { readonly rows: number; readonly columns: number }): Promise<void> {
    const container = this.get(ref)
    if (!container.process) throw new Failure('conflict', `container ${container.id} is not running`)
    container.process.resize(rows, columns)
  }

  async logs(ref: string, options: LogsOptions): Promise<Output> {
    const container = this.get(ref)
    if (container.record.hostConfig.LogConfig.Type === 'none')
      throw new Failure('unsupported', 'configured logging driver does not support reading')
    const { tail } = options
    return {
      tty: container.record.config.Tty,
      output: readLog(this.#parts.paths.containerLog(container.id), {
        ...options,
        tail: tail !== undefined && /^\d+$/.test(tail) ? Number(tail) : undefined,
        follow: options.follow ? container.process?.exited : undefined,
      }),
    }
  }

  async top(ref: string, psArgs?: string): Promise<ContainerTop> {
    const container = this.get(ref)
    const { top } = await import('./show/top.ts')
    return top(this.#parts, container, psArgs)
  }

  /** One sample, or one a second while `stream`. */
  stats(
    ref: string,
    options: { readonly stream: boolean; readonly oneShot?: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<ContainerStats> {
    const container = this.get(ref)
    const parts = this.#parts
    return (async function* () {
      const { stats } = await import('./show/stats.ts')
      yield* stats(parts, container, { ...options, oneShot: options.oneShot ?? false })
    })()
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

  writeArchive(
    ref: string,
    options: {
      readonly path: string
      readonly noOverwriteDirNonDir?: boolean
      readonly copyUIDGID?: boolean
      readonly content: AsyncIterable<Uint8Array>
    },
  ): Promise<void> {
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
    return this.#locked(ref, container =>
      connect(this.#parts, container, { network, settings, save: changed => this.#records.save(changed) }),
    )
  }

  disconnect(ref: string, network: string, _options: { readonly force: boolean }): Promise<void> {
    return this.#locked(ref, container =>
      disconnect(this.#parts, container, { network, save: changed => this.#records.save(changed) }),
    )
  }

  /** The program that runs it, or would: what `explain` prints. */
  async program(ref: string): Promise<ContainerProgram> {
    const spec = await shownSpec(this.#parts, this.get(ref))
    const lines = this.#parts.runtime.explain(spec)
    return { Lines: lines.map(({ phase, text, cause }) => ({ Phase: phase, Text: text, Cause: cause })) }
  }

  /** For `images.remove`. */
  usersOfImage(imageId: string): Array<{ id: string; name: string; running: boolean }> {
    return [...this.#containers.values()]
      .filter(container => container.record.imageId === imageId)
      .map(container => ({
        id: container.id,
        name: container.name,
        running: container.running || container.state.status === 'restarting',
      }))
  }

  /** For `volumes.remove`: ids of the containers that mount it. */
  usersOfVolume(name: string): string[] {
    return [...this.#containers.values()]
      .filter(container => container.record.mounts.some(mount => mount.type === 'volume' && mount.name === name))
      .map(container => container.id)
  }

  /** By status, for `info`. */
  counts(): { total: number; running: number; paused: number; stopped: number } {
    const all = [...this.#containers.values()]
    const running = all.filter(({ state }) => state.status === 'running' || state.status === 'restarting').length
    const paused = all.filter(({ state }) => state.status === 'paused').length
    return { total: all.length, running, paused, stopped: all.length - running - paused }
  }

  /** Containers run on; nothing is started or probed any more. */
  async close(): Promise<void> {
    this.#closed = true
    const all = [...this.#containers.values()]
    for (const container of all) {
      clearTimeout(container.restart)
      for (const client of container.waiting) client.end()
    }
    await Promise.all(all.map(container => container.health?.close()))
    await Promise.all(this.#following)
    await Promise.all(all.map(container => container.state.status !== 'created' && container.save()))
    await this.#records.close()
  }

  async #locked<T>(ref: string, work: (container: Container) => Promise<T>): Promise<T> {
    const container = this.get(ref)
    return this.#lock.run(container.id, () => {
      // gone while it waited for its turn
      if (!this.#containers.has(container.id)) throw new Failure('not-found', `No such container: ${ref}`)
      return work(container)
    })
  }

  async #start(container: Container, signal?: AbortSignal): Promise<void> {
    try {
      await start(this.#parts, container, { signal, onStarted: (c, process) => this.#started(c, process) })
    } catch (error) {
      if (container.record.hostConfig.AutoRemove && !container.running && !isFailure(error, 'not-modified'))
        await this.#remove(container, true)
      throw error
    }
  }

  /** From here on its exit and its health are followed. */
  #started(container: Container, process: Supervised): void {
    const plan = healthPlan(container.record.config.Healthcheck)
    if (plan)
      container.health = new HealthSchedule({
        plan,
        startedAt: process.startedAt,
        state: container.state.health ?? startingHealth,
        probe: (test, signal) => this.#options.probe(container, test, signal),
        onState: (health, before) => {
          container.note({ health })
          container.save().catch(error => log('cannot save %s: %s', container.name, messageOf(error)))
          if (health.Status !== before.Status) tell(this.#parts, container, `health_status: ${health.Status}`)
        },
      })
    this.#follow(container, process.exited)
  }

  #follow(container: Container, exit: Promise<Exit>): void {
    const recorded = exit
      .catch((error): Exit => {
        log('lost the monitor of %s: %s', container.name, messageOf(error))
        return { kind: 'exited', code: 255, signal: undefined, oomKilled: false, finishedAt: new Date() }
      })
      .then(async how => {
        // The next engine records it.
        if (this.#closed) return undefined
        const next = await exited(this.#parts, container, how)
        return { how, next }
      })
    container.settled = recorded.then(
      () => undefined,
      error => log('the exit of %s: %s', container.name, messageOf(error)),
    )
    recorded
      .then(async result => {
        if (!result) return
        const after = this.#after(container, result.next)
        container.announceExit(result.how)
        await after
      })
      .catch(error => log('after the exit of %s: %s', container.name, messageOf(error)))
  }

  async #after(container: Container, next: AfterExit): Promise<void> {
    if ('restart' in next) {
      container.restart = setTimeout(() => this.#restartByPolicy(container), next.restart)
    } else if ('remove' in next) {
      const removal = this.#lock.run(container.id, async () => {
        if (this.#containers.has(container.id)) await this.#remove(container, true)
      })
      this.#following.add(removal)
      try {
        await removal
      } finally {
        this.#following.delete(removal)
      }
    }
  }

  #restartByPolicy(container: Container): void {
    const restart = this.#lock
      .run(container.id, async () => {
        if (this.#closed || container.state.status !== 'restarting') return
        container.note({ restartCount: container.state.restartCount + 1 })
        await this.#start(container)
      })
      .catch(error => log('cannot restart %s: %s', container.name, messageOf(error)))
      .finally(() => this.#following.delete(restart))
    this.#following.add(restart)
  }

  async #killForRemoval(container: Container): Promise<void> {
    try {
      container.note({ stoppedOnPurpose: true })
      await kill(this.#parts, container, { signal: 'SIGKILL', ref: container.name })
    } catch (error) {
      // it ended by itself
      if (!isFailure(error, 'conflict')) throw error
      await container.settled
    }
  }

  async #remove(container: Container, volumes: boolean): Promise<void> {
    await remove(this.#parts, container, {
      volumes,
      usersOfVolume: name => this.usersOfVolume(name),
      forget: gone => {
        this.#containers.delete(gone.id)
        this.#names.release(gone.name)
        this.#options.onRemoved(gone)
      },
    })
  }
}
