/** A Kubernetes cluster, by its REST API: objects by server-side apply, as one field manager. */
import type { Target } from '../target.ts'
import { readEvents } from './events.ts'
import { execIn } from './exec.ts'
import { exported } from './export.ts'
import { forwardPorts } from './forward.ts'
import { readLogs } from './logs.ts'
import { observe } from './observe.ts'
import type { ObservedCluster } from './observed.ts'
import type { ClusterOperation } from './operation.ts'
import { partsOf } from './parts.ts'
import { clusterPerformer } from './perform/operations.ts'
import { planDown } from './plan/down.ts'
import { reconcile } from './plan/reconcile.ts'
import type { Cluster } from './rest/cluster.ts'

export function kubernetesTarget(cluster: Cluster): Target<ClusterOperation, ObservedCluster> {
  let seen: ObservedCluster | undefined
  return {
    name: 'kubernetes',
    place: `${cluster.access.server}/${cluster.access.namespace}`,
    observe: async (name, options) => {
      seen = await observe(cluster, name, options)
      return seen
    },
    plan: reconcile,
    planDown,
    performer: () => clusterPerformer(cluster, seen),
    describe: partsOf,
    kept: ({ asked }) => ({
      images: new Map([...(asked?.digests ?? [])].map(([name, id]) => [name, { id, digest: id }])),
      files: asked?.hashes ?? new Map(),
    }),
    logs: (name, options) => readLogs(cluster, name, options),
    events: (name, options) => readEvents(cluster, name, options),
    exec: (name, options) => execIn(cluster, name, options),
    forward: (name, options) => forwardPorts(cluster, name, options),
    exported: (project, wish) =>
      exported(project, { project: project.name, namespace: cluster.access.namespace }, wish),
    close: () => cluster.close(),
  }
}
