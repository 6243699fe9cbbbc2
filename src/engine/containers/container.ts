/** A container: its record and last state on disk, and what lives while it runs. */
import { z } from 'zod'
import type { Exit, Attachment as Stream, Supervised } from '../../runtime/runtime.ts'
import type { ContainerSpec } from '../../runtime/spec.ts'
import type { Paths } from '../base/paths.ts'
import { writeRecord } from '../base/store.ts'
import type { HealthSchedule } from '../health/schedule.ts'
import { healthStateSchema } from '../health/state.ts'
import { configSchema } from './config/config.ts'
import { hostConfigSchema } from './config/host-config.ts'
import { checkMove, isRunning, type Status, statuses } from './state.ts'

export const recordVersion = 1

/** What is mounted where, all names resolved; the order is that of the request, mounts.ts sorts. */
export const mountPointSchema = z.object({
  type: z.enum(['bind', 'volume', 'tmpfs']),
  /** The API field behind it. */
  cause: z.string(),
  target: z.string(),
  /** Host path of a bind. */
  source: z.string().optional(),
  /** Of a volume. */
  name: z.string().optional(),
  driver: z.string().optional(),
  subpath: z.string().optional(),
  nocopy: z.boolean().optional(),
  anonymous: z.boolean().optional(),
  readonly: z.boolean(),
  recursive: z.boolean(),
  propagation: z.string(),
  /** As Docker shows it: "z", "ro", "rw", "". */
  mode: z.string(),
  /** Mount data of a tmpfs, and flags of any. */
  data: z.string().optional(),
  flags: z.array(z.string()),
})
export type MountPoint = z.infer<typeof mountPointSchema>

/** A network the container is to be on, as asked. */
export const endpointSchema = z.object({
  /** Name or id. */
  network: z.string(),
  aliases: z.array(z.string()),
  links: z.array(z.string()),
  ipv4Address: z.string().optional(),
  ipv6Address: z.string().optional(),
  linkLocalIPs: z.array(z.string()),
  macAddress: z.string().optional(),
  gwPriority: z.number(),
  driverOpts: z.record(z.string(), z.string()),
})
export type EndpointRequest = z.infer<typeof endpointSchema>

export const recordSchema = z.object({
  version: z.literal(recordVersion),
  id: z.string(),
  name: z.string(),
  created: z.string(),
  imageId: z.string(),
  imageRef: z.string(),
  config: configSchema,
  hostConfig: hostConfigSchema,
  endpoints: z.array(endpointSchema),
  mounts: z.array(mountPointSchema),
})
export type ContainerRecord = z.infer<typeof recordSchema>

export const stateSchema = z.object({
  version: z.literal(recordVersion),
  /** The boot it belongs to: after a reboot nothing runs, whatever stands here. */
  boot: z.string(),
  status: z.enum(statuses),
  pid: z.number(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  exitCode: z.number(),
  oomKilled: z.boolean(),
  error: z.string(),
  restartCount: z.number(),
  /** Somebody stopped it on purpose: unless-stopped then lets it be. */
  stoppedOnPurpose: z.boolean(),
  /** The network namespace it owns, while there is one. */
  sandbox: z.string().optional(),
  attachments: z.array(z.unknown()),
  ports: z.array(z.unknown()),
  health: healthStateSchema.optional(),
})
export type ContainerState = z.infer<typeof stateSchema>

/** The state of a container that was never started. */
export function newState(boot: string): ContainerState {
  return {
    version: recordVersion,
    boot,
    status: 'created',
    pid: 0,
    exitCode: 0,
    oomKilled: false,
    error: '',
    restartCount: 0,
    stoppedOnPurpose: false,
    attachments: [],
    ports: [],
  }
}

/** A client attached before the process exists; it is given the stream at the next start. */
export interface Waiting {
  readonly streams: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean }
  connect(stream: Stream): void
  /** The start failed, or the container was removed: there will be no stream. */
  end(): void
}

export class Container {
  record: ContainerRecord
  state: ContainerState
  /** While it runs. */
  process: Supervised | undefined
  /** What it was last started with, for `explain`. */
  spec: ContainerSpec | undefined
  health: HealthSchedule | undefined
  /** Clients attached before the next start. */
  readonly waiting = new Set<Waiting>()
  readonly execs = new Set<string>()
  /** The pending restart by policy. */
  restart: NodeJS.Timeout | undefined
  /** A `restart` verb is under way: the exit it causes must not remove or restart the container. */
  restarting = false
  /** The wait before the last restart by policy, milliseconds. */
  backoff = 0
  /** Resolves when the last exit has been recorded and everything it held given back. */
  settled: Promise<void> = Promise.resolve()
  #exited = Promise.withResolvers<Exit>()
  #removed = Promise.withResolvers<void>()
  #saving: Promise<void> = Promise.resolve()
  readonly #paths: Paths

  constructor(record: ContainerRecord, state: ContainerState, paths: Paths) {
    this.record = record
    this.state = state
    this.#paths = paths
  }

  get id(): string {
    return this.record.id
  }
  get name(): string {
    return this.record.name
  }
  /** Below each hierarchy's mount. */
  get cgroup(): string {
    return this.#paths.name.cgroup(this.id)
  }
  get running(): boolean {
    return isRunning(this.state.status)
  }

  /** Changes status and what goes with it. @throws Failure `conflict` when the move is not legal. */
  move(to: Status, changes: Partial<ContainerState> = {}): void {
    checkMove(this.name, this.state.status, to)
    this.state = { ...this.state, ...changes, status: to }
  }

  /** Changes what is beside the status. */
  note(changes: Partial<ContainerState>): void {
    this.state = { ...this.state, ...changes }
  }

  /** Writes the state, not synced; writes follow each other, and a later one carries all that came before. */
  save(): Promise<void> {
    const write = async () => {
      if (this.state.status === 'removing') return
      await writeRecord(this.#paths.containerState(this.id), this.state)
    }
    this.#saving = this.#saving.then(write, write)
    return this.#saving
  }

  /** The next exit of its process. */
  get nextExit(): Promise<Exit> {
    return this.#exited.promise
  }
  get removed(): Promise<void> {
    return this.#removed.promise
  }

  /** Tells who waits that the process has ended; state is up to date before. */
  announceExit(exit: Exit): void {
    const { resolve } = this.#exited
    this.#exited = Promise.withResolvers()
    resolve(exit)
  }
  announceRemoved(): void {
    this.#removed.resolve()
  }

  /** Attributes of its events: image, name and every label. */
  attributes(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { ...this.record.config.Labels, ...more, image: this.record.imageRef, name: this.name }
  }
}
