/** A container: its record and last state on disk, and what lives while it runs. */
import { z } from 'zod'
import type { Exit, Attachment as Stream, Supervised } from '../../runtime/runtime.ts'
import type { ContainerSpec } from '../../runtime/spec.ts'
import type { Say } from '../base/aside.ts'
import { type KeptPlaces, KeptRecord } from '../base/kept-record.ts'
import type { Paths } from '../base/paths.ts'
import type { RecordKind } from '../base/store.ts'
import type { Syncer } from '../base/syncer.ts'
import type { HealthSchedule } from '../health/schedule.ts'
import { healthStateSchema } from '../health/state.ts'
import { digestSchema } from '../images/image.ts'
import { attachmentSchema } from '../networks/attachment.ts'
import { endpointRequestSchema } from '../networks/endpoint-request.ts'
import { publishedPortSchema } from '../networks/published-port.ts'
import { configSchema } from './config/config.ts'
import { hostConfigSchema } from './config/host-config.ts'
import { checkMove, isRunning, type Status, startable, statuses } from './state.ts'

export const recordVersion = 1
const stateVersion = 2

/** What is mounted where, all names resolved; the order is that of the request, mounts.ts sorts. */
export const mountPointSchema = z.object({
  type: z.enum(['bind', 'volume', 'tmpfs', 'image']),
  /** The API field behind it. */
  cause: z.string(),
  target: z.string(),
  /** Host path of a bind. */
  source: z.string().optional(),
  /** Of a volume, or of an image as it was asked for. */
  name: z.string().optional(),
  /** Id of an image, and its layers. */
  image: z.string().optional(),
  layers: z.array(digestSchema).readonly().optional(),
  driver: z.string().optional(),
  subpath: z.string().optional(),
  nocopy: z.boolean().optional(),
  anonymous: z.boolean().optional(),
  readonly: z.boolean(),
  recursive: z.boolean(),
  /** Of a read-only bind: what is mounted below it is not. */
  writableBelow: z.boolean().optional(),
  propagation: z.string(),
  /** As Docker shows it: "z", "ro", "rw", "". */
  mode: z.string(),
  /** Mount data of a tmpfs, and flags of any. */
  data: z.string().optional(),
  flags: z.array(z.string()),
})
export type MountPoint = z.infer<typeof mountPointSchema>

/** The ids of its user namespace on the host; `key` is whose they are. */
const usersSchema = z.object({ key: z.string(), uid: z.number(), gid: z.number(), size: z.number() })

export const recordSchema = z.object({
  version: z.literal(recordVersion),
  id: z.string(),
  name: z.string(),
  created: z.string(),
  imageId: z.string(),
  /** Of that image, lowest first: it may go before the container does. Records of older engines have none. */
  layers: z.array(digestSchema).readonly().optional(),
  imageRef: z.string(),
  /** `copy`: its writable folder holds a whole copy of the image; otherwise it lies over the layers. */
  root: z.literal('copy').optional(),
  config: configSchema,
  hostConfig: hostConfigSchema,
  endpoints: z.array(endpointRequestSchema),
  /** It was made with network mode none and was taken off it: others may take it in. */
  leftNone: z.literal(true).optional(),
  mounts: z.array(mountPointSchema),
  /** None: it is in the user namespace of the host. */
  users: usersSchema.optional(),
})
export type ContainerRecord = z.infer<typeof recordSchema>
export const recordKind: RecordKind<ContainerRecord> = { version: recordVersion, schema: recordSchema }

export const stateSchema = z.object({
  version: z.literal(stateVersion),
  /** The boot it belongs to: after a reboot nothing runs, whatever stands here. */
  boot: z.string(),
  status: z.enum(statuses),
  /** While `starting`: what it was before, which is what clients are shown. */
  before: z.enum(startable).optional(),
  pid: z.number(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  exitCode: z.number(),
  oomKilled: z.boolean(),
  error: z.string(),
  restartCount: z.number(),
  /** Of those the ones that did not run for the time that is asked of them. */
  failedRestarts: z.number().optional(),
  /** Somebody stopped it on purpose: unless-stopped then lets it be. */
  stoppedOnPurpose: z.boolean(),
  /** The network namespace it owns, while there is one. */
  sandbox: z.string().optional(),
  attachments: z.array(attachmentSchema),
  ports: z.array(publishedPortSchema),
  /** When it took ports over, in milliseconds since 1970: who did so last has what two records say they have. */
  portsSince: z.number().optional(),
  /** It answers to its names only where nobody else does: before it takes over, or once another has taken over from it. */
  stepsBack: z.boolean().optional(),
  health: healthStateSchema.optional(),
})
export type ContainerState = z.infer<typeof stateSchema>
export const stateKind: RecordKind<ContainerState> = {
  version: stateVersion,
  schema: stateSchema,
  upgrades: {
    // what 1 kept of networks and ports was read without a look; of a start under way it did not say what was before
    1: old => old,
  },
}

export function statePlaces(paths: Paths, id: string): KeptPlaces {
  return { path: paths.containerState(id), spare: paths.containerStateSpare(id) }
}

/** The state of a container that was never started. */
export function newState(boot: string): ContainerState {
  return {
    version: stateVersion,
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

/** What its state is written by. */
interface ContainerParts {
  readonly paths: Paths
  readonly say: Say
  readonly syncer: Syncer
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
  /** What it lacks is being made again. */
  mending: Promise<void> | undefined
  /** A `restart` verb is under way: the exit it causes must not remove or restart the container. */
  restarting = false
  /** Whatever its policy says, its exit is not followed by a start: somebody else sees to that. */
  staysDown = false
  /** The wait before the last restart by policy, milliseconds. */
  backoff = 0
  /** Resolves when the last exit has been recorded and everything it held given back. */
  settled: Promise<void> = Promise.resolve()
  #exited = Promise.withResolvers<Exit>()
  #removed = Promise.withResolvers<void>()
  /** Its cgroup, below each hierarchy's mount. */
  readonly cgroup: string
  readonly #saved: KeptRecord

  constructor(record: ContainerRecord, state: ContainerState, { paths, say, syncer }: ContainerParts) {
    this.record = record
    this.state = state
    this.cgroup = paths.name.cgroup(record.id, record.hostConfig.CgroupParent)
    this.#saved = new KeptRecord({
      ...statePlaces(paths, record.id),
      // what is being removed has no file to be written any more
      value: () => (['removing', 'dead'].includes(this.state.status) ? undefined : this.state),
      say,
      syncer,
    })
  }

  get id(): string {
    return this.record.id
  }
  get name(): string {
    return this.record.name
  }
  get running(): boolean {
    return isRunning(this.state.status)
  }

  /** Changes status and what goes with it. @throws Failure `conflict` when the move is not legal. */
  move(to: Status, changes: Partial<ContainerState> = {}): void {
    checkMove(this.name, this.state.status, to)
    const before = startable.find(status => to === 'starting' && status === this.state.status)
    this.state = { ...this.state, ...changes, status: to, before }
  }

  /** Changes what is beside the status. */
  note(changes: Partial<ContainerState>): void {
    this.state = { ...this.state, ...changes }
  }

  /**
   * Writes the state. Never fails: what a full disk does not take stays here and is written later. `lasting`: a power cut a second
   * later must not take it, since it says whether the container comes back.
   */
  save(options: { readonly lasting?: boolean } = {}): Promise<void> {
    return this.#saved.save(options)
  }

  /** A last attempt at what could not be written. */
  close(): Promise<void> {
    return this.#saved.close()
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
