/** The targets by name; what one needs is loaded when it is asked for. */
import type { EngineKind } from '../targets/engine/support.ts'
import type { Target, TargetName, TargetSupport } from '../targets/target.ts'
import type { Call } from './command.ts'

/** `engine`: who runs the containers, where that is an engine's to say. */
export async function supportOf(target: TargetName, engine?: EngineKind): Promise<TargetSupport> {
  if (target === 'swarm') return (await import('../targets/swarm/support.ts')).swarmSupport
  const { doubtful, supportTable, unsupported } = await import('../targets/engine/support.ts')
  const kind = engine ?? 'tscompose'
  return {
    table: attributes => supportTable(attributes, kind),
    doubtful: doubtful(kind),
    warnings: uses => unsupported(uses, kind),
  }
}

export async function openTarget(call: Call, _name: Exclude<TargetName, 'engine'>): Promise<Target> {
  const [client, { swarmTarget }] = await Promise.all([call.connect(), import('../targets/swarm/target.ts')])
  return swarmTarget(client, {
    registryAuth: async reference => (await import('../client/registry-auth.ts')).registryAuth(reference, call.env),
  })
}
