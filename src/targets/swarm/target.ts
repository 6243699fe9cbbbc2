/** A Docker Swarm, by the Engine API of one of its managers. */
import type { Client } from '../../client/client.ts'
import { digestIn } from '../built-images.ts'
import type { Kept, Target } from '../target.ts'
import { readEvents } from './events.ts'
import { execIn } from './exec.ts'
import { labels } from './labels.ts'
import { readLogs } from './logs.ts'
import { type AuthSource, observe } from './observe.ts'
import type { ObservedSwarm } from './observed.ts'
import type { SwarmOperation } from './operation.ts'
import { partsOf } from './parts.ts'
import { swarmPerformer } from './perform/operations.ts'
import { planDown } from './plan/down.ts'
import { reconcile } from './plan/reconcile.ts'
import { reachedIn } from './reached.ts'

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
    reached: reachedIn,
    kept: keptOf,
    logs: (name, options) => readLogs(client, name, options),
    events: (name, options) => readEvents(client, name, options),
    exec: (name, options) => execIn(client, name, options),
  }
}

/** Where no registry tells the digest of an image, that of the service which has it. */
function keptOf({ services, digests, files }: ObservedSwarm): Kept {
  const running = [...services.values()].flatMap(({ Spec }) => {
    const name = Spec.Labels?.[labels.image]
    const digest = name && digestIn(Spec.TaskTemplate.ContainerSpec.Image, name)
    return name && digest ? [[name, digest] as const] : []
  })
  return {
    images: new Map([...running, ...digests].map(([name, id]) => [name, { id, digest: id }])),
    files,
  }
}
