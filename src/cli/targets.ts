/** The targets by name; what one needs is loaded when it is asked for. */
import type { EngineKind } from '../targets/engine/support.ts'
import type { Target, TargetName, TargetSupport } from '../targets/target.ts'
import type { Call } from './command.ts'

/** `engine`: who runs the containers, where that is an engine's to say. */
export async function supportOf(target: TargetName, engine?: EngineKind): Promise<TargetSupport> {
  if (target === 'swarm') return (await import('../targets/swarm/support.ts')).swarmSupport
  if (target === 'kubernetes') return (await import('../targets/kubernetes/support.ts')).kubernetesSupport
  const { doubtful, supportTable, unsupported } = await import('../targets/engine/support.ts')
  const kind = engine ?? 'tscompose'
  return {
    table: attributes => supportTable(attributes, kind),
    doubtful: doubtful(kind),
    warnings: uses => unsupported(uses, kind),
  }
}

export async function openTarget(call: Call, name: Exclude<TargetName, 'engine'>): Promise<Target> {
  if (name === 'kubernetes') return await openCluster(call)
  const [client, { swarmTarget }] = await Promise.all([call.connect(), import('../targets/swarm/target.ts')])
  return swarmTarget(client, {
    registryAuth: async reference => (await import('../client/registry-auth.ts')).registryAuth(reference, call.env),
  })
}

async function openCluster({ globals, env }: Call): Promise<Target> {
  const [{ kubernetesTarget }, { clusterAccess }, { Cluster }] = await Promise.all([
    import('../targets/kubernetes/target.ts'),
    import('../targets/kubernetes/rest/kubeconfig.ts'),
    import('../targets/kubernetes/rest/cluster.ts'),
  ])
  const { context, namespace } = globals
  return kubernetesTarget(new Cluster(clusterAccess({ env, context, namespace }), env))
}
