/** Builds every part of the engine and wires the few backward calls; the one place that knows them all. */
import type { Info, Version } from '../api/system.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Events } from './base/events.ts'
import type { PathRoots, Paths } from './base/paths.ts'
import type { Containers } from './containers/containers.ts'
import type { Execs } from './containers/execs.ts'
import type { Images } from './images/images.ts'
import type { Networks } from './networks/networks.ts'
import type { Volumes } from './volumes/volumes.ts'

export interface EngineOptions {
  readonly roots?: Partial<PathRoots>
  /** Tests hand in their own. */
  readonly runtime?: Runtime
  /** Address pools for networks, CIDR. */
  readonly pools?: readonly string[]
}

export interface Engine {
  readonly paths: Paths
  readonly events: Events
  readonly containers: Containers
  readonly execs: Execs
  readonly images: Images
  readonly networks: Networks
  readonly volumes: Volumes
  info(): Promise<Info>
  version(): Version
  /** Lets go of everything; containers run on. */
  close(): Promise<void>
}

export async function createEngine(_options: EngineOptions = {}): Promise<Engine> {
  throw new Error('being written')
}
