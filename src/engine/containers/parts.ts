/** What a verb may use: the other parts of the engine, and the collection it belongs to. */
import type { Runtime } from '../../runtime/runtime.ts'
import type { HostPath } from '../../runtime/spec.ts'
import type { Aside, Say } from '../base/aside.ts'
import type { Events } from '../base/events.ts'
import type { Paths } from '../base/paths.ts'
import type { StorageDriver } from '../base/storage-driver.ts'
import type { Syncer } from '../base/syncer.ts'
import type { Images } from '../images/images.ts'
import type { Compressor } from '../logs/compressor.ts'
import type { Forwards } from '../logs/forward/forwards.ts'
import type { LogDefaults } from '../logs/log-defaults.ts'
import type { PastLogs } from '../logs/past-logs.ts'
import type { Networks } from '../networks/networks.ts'
import type { UserRanges } from '../users/user-ranges.ts'
import type { Volumes } from '../volumes/volumes.ts'
import type { ContainerDefaults } from './config/container-defaults.ts'
import type { Container } from './container.ts'
import type { UserFilesOfImages } from './files/user-files.ts'

export interface Parts {
  readonly paths: Paths
  readonly events: Events
  readonly aside: Aside
  /** One line into the engine's log. */
  readonly say: Say
  readonly syncer: Syncer
  readonly images: Images
  /** How roots of new containers, and of builds' commands, are made. */
  readonly storage: StorageDriver
  readonly volumes: Volumes
  /** Names of users, as images have them. */
  readonly userFiles: UserFilesOfImages
  /** Ids of the host that user namespaces have. */
  readonly users: UserRanges
  readonly networks: Networks
  readonly runtime: Runtime
  /** Logs that are sent to servers. */
  readonly forwards: Forwards
  /** Logs whose rotated files are compressed. */
  readonly compressor: Compressor
  /** Logs of those that were removed. */
  readonly pastLogs: PastLogs
  /** What containers have that say nothing of their log. */
  readonly logs: LogDefaults
  /** What they have that do not speak of it otherwise. */
  readonly defaults: ContainerDefaults
  /** With specifications of devices; the later ones win. */
  readonly deviceFolders: readonly HostPath[]
  /** This boot's id. */
  readonly boot: string
  /** CPUs of the host. */
  readonly cpus: number
  /** Paths to mask beside the defaults: the heat sensor of each CPU, where the host has them. */
  readonly masked: readonly string[]
  /** Every container, in no order. */
  all(): Iterable<Container>
  /** @throws Failure `not-found`, or `invalid` when a prefix is ambiguous. */
  get(ref: string): Container
}

/** Publishes an event of a container; its state must be up to date before. */
export function tell(
  parts: Parts,
  container: Container,
  action: string,
  more: Readonly<Record<string, string>> = {},
): void {
  parts.events.emit('container', action, container.id, container.attributes(more))
}

/** Publishes that a container's volumes were mounted, or let go again. */
export function tellVolumes(parts: Parts, container: Container, action: 'mount' | 'unmount'): void {
  for (const { type, name, target, propagation, readonly } of container.record.mounts) {
    if (type !== 'volume' || name === undefined) continue
    const common = { container: container.id, driver: 'local' }
    const more = { destination: target, propagation, 'read/write': String(!readonly) }
    parts.events.emit('volume', action, name, action === 'mount' ? { ...common, ...more } : common)
  }
}

/** Running containers that live in the network namespace of `container`. */
export function sharers(parts: Parts, container: Container): Container[] {
  const mode = `container:${container.id}`
  return [...parts.all()].filter(
    other => other.record.hostConfig.NetworkMode === mode && (other.running || other.state.status === 'starting'),
  )
}

/** Whose process a "container:x" mode joins. */
export function joined(parts: Pick<Parts, 'get'>, mode: string): Container | undefined {
  return mode.startsWith('container:') ? parts.get(mode.slice('container:'.length)) : undefined
}

/** Whose network a container lives in, and whose hosts file it has: its own, or at the end of all who have joined one another. */
export function networkHolder(parts: Pick<Parts, 'get'>, container: Container): Container {
  const other = joined(parts, container.record.hostConfig.NetworkMode)
  return other === undefined || other === container ? container : networkHolder(parts, other)
}
