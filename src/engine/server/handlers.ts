/** The engine's parts to one handler per endpoint. */
import type { Handlers } from '../../api/endpoint.ts'
import type { endpoints } from '../../api/endpoints.ts'
import type { Companions } from '../companions/companions.ts'
import type { Containers } from '../containers/containers.ts'
import type { Execs } from '../containers/verbs/execs.ts'
import type { PastLogs } from '../logs/past-logs.ts'
import type { Networks } from '../networks/networks.ts'
import type { Volumes } from '../volumes/volumes.ts'
import { type ReceiptBackend, receiptRoutes } from './routes/build-receipts.ts'
import { companionRoutes } from './routes/companions.ts'
import { containerRoutes } from './routes/containers.ts'
import { execRoutes } from './routes/exec.ts'
import { type ImageBackend, imageRoutes } from './routes/images.ts'
import { type NetworkMembers, networkRoutes } from './routes/networks.ts'
import { pastLogRoutes } from './routes/past-logs.ts'
import { pluginRoutes, swarmRoutes } from './routes/swarm.ts'
import { type SystemBackend, systemRoutes } from './routes/system.ts'
import { volumeRoutes } from './routes/volumes.ts'

/** What `serve` needs of the built engine; engine.ts is above us, so its type is not taken. */
export interface Backend extends SystemBackend {
  readonly containers: Containers & NetworkMembers
  readonly execs: Execs
  readonly images: ImageBackend['images']
  readonly storage: ImageBackend['storage']
  readonly builder: ImageBackend['builder'] & ReceiptBackend
  readonly buildClassic: ImageBackend['buildClassic']
  readonly networks: Networks
  readonly volumes: Volumes
  readonly companions: Companions
  readonly pastLogs: PastLogs
}

/** `serve({ listeners, handlers: handlersOf(engine, decodeRegistryAuth), serverVersion })` is what main.ts does. */
export function handlersOf(
  engine: Backend,
  decodeRegistryAuth: ImageBackend['decodeRegistryAuth'],
): Handlers<typeof endpoints> {
  return {
    ...systemRoutes(engine),
    ...containerRoutes(engine.containers),
    ...execRoutes(engine.execs),
    ...imageRoutes({
      images: engine.images,
      storage: engine.storage,
      containers: engine.containers,
      builder: engine.builder,
      buildClassic: engine.buildClassic,
      decodeRegistryAuth,
    }),
    ...networkRoutes(engine.networks, engine.containers),
    ...volumeRoutes(engine.volumes, engine.containers),
    ...swarmRoutes(),
    ...pluginRoutes(),
    ...companionRoutes(engine.companions),
    ...pastLogRoutes(engine.pastLogs, () => new Set([...engine.containers.parts.all()].map(({ name }) => name))),
    ...receiptRoutes(engine.builder),
  }
}
