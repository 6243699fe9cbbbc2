/** A Docker Swarm, by the Engine API of one of its managers. */
import type { Client } from '../../client/client.ts'
import type { Target } from '../target.ts'
import { readLogs } from './logs.ts'
import { type AuthSource, observe } from './observe.ts'
import type { ObservedSwarm } from './observed.ts'
import type { SwarmOperation } from './operation.ts'
import { partsOf } from './parts.ts'
import { swarmPerformer } from './perform/operations.ts'
import { planDown } from './plan/down.ts'
import { reconcile } from './plan/reconcile.ts'

export function swarmTarget(
  client: Client,
  { registryAuth }: { readonly registryAuth: AuthSource },
): Target<SwarmOperation, ObservedSwarm> {
  return {
    name: 'swarm',
    place: `swarm ${client.host}`,
    observe: (name, options) => observe(client, name, { ...options, registryAuth }),
    plan: reconcile,
    planDown,
    performer: () => swarmPerformer(client, registryAuth),
    describe: partsOf,
    kept: ({ digests, files }) => ({
      images: new Map([...digests].map(([name, id]) => [name, { id, digest: id }])),
      files,
    }),
    logs: (name, options) => readLogs(client, name, options),
  }
}
