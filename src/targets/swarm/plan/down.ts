/** What `down` removes: services, and once their tasks have ended the networks, secrets and configs of the stack. */
import { Failure } from '../../../lib/failure.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { labels, serviceName } from '../labels.ts'
import type { ObservedSwarm } from '../observed.ts'
import { SwarmPlan } from '../swarm-plan.ts'
import { fileKinds } from './files.ts'

/** Volumes stay where they are: each is of its node. @throws Failure not-found for a service that is not there */
export function planDown(
  name: string,
  observed: ObservedSwarm,
  { services }: { readonly services?: readonly string[] | undefined },
): SwarmPlan {
  const plan = new SwarmPlan()
  for (const service of services ?? [])
    if (!observed.services.has(serviceName(name, service)))
      throw new Failure('not-found', `no such service: ${service}`)
  const wanted = services && new Set(services.map(service => serviceName(name, service)))
  const ends: NodeId[] = []
  for (const [full, { ID, Spec }] of [...observed.services].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (wanted && !wanted.has(full)) continue
    const of = {
      name: full,
      service: Spec.Labels?.[labels.service] ?? full,
      id: ID,
    }
    const node = plan.add({ kind: 'remove-service', cause: 'down', ...of })
    ends.push(plan.add({ kind: 'wait-gone', cause: 'its tasks hold networks', stack: name, ...of }, [node]))
  }
  if (wanted) return plan
  const isOurs = (all: Readonly<Record<string, string>> | null | undefined) => all?.[labels.stack] === name
  for (const [network, { Id, Labels, Scope }] of observed.networks)
    if (Scope === 'swarm' && isOurs(Labels))
      plan.add({ kind: 'remove-network', cause: 'down', name: network, id: Id }, ends)
  for (const kind of fileKinds)
    for (const [file, { ID, Spec }] of observed[`${kind}s`])
      if (isOurs(Spec.Labels)) plan.add({ kind: `remove-${kind}`, cause: 'down', name: file, id: ID }, ends)
  return plan
}
