/** The operations that put a container right as it is: limits first, then networks, one after the other. */
import type { EndpointSettings } from '../../../api/container-body.ts'
import type { NodeId } from '../../../plan/operation.ts'
import type { EnginePlan } from '../engine-plan.ts'
import type { Adjustment } from './adjust.ts'
import { describePaths } from './fields.ts'
import type { Hooked } from './hooks.ts'

export interface Adjusting {
  readonly adjustment: Adjustment
  readonly on: Hooked
  readonly after: readonly NodeId[]
  /** How it is to be on a network of that name. */
  readonly endpoint: (network: string) => EndpointSettings
  /** What makes a network of the stack, by its key. */
  readonly maker: (key: string) => NodeId | undefined
}

/** The nodes, in their order. */
export function planAdjustment(plan: EnginePlan, adjusting: Adjusting): readonly NodeId[] {
  const { adjustment, on, after, endpoint, maker } = adjusting
  const { update, updated, networks } = adjustment
  const nodes = [...after]
  const last = () => nodes.slice(-1)
  if (update) {
    const cause = describePaths(updated.map(({ path }) => path))
    nodes.push(plan.add({ kind: 'update-container', cause, ...on, update, changes: updated }, last()))
  }
  for (const { key, name: network, kind, changes } of networks) {
    const cause = kind === 'connect' ? `network ${key} is not connected` : describePaths(changes.map(c => c.path))
    if (kind !== 'connect') nodes.push(plan.add({ kind: 'disconnect-network', cause, ...on, network, changes }, last()))
    if (kind === 'disconnect') continue
    // told once
    const told = kind === 'connect' ? { changes } : { changes: [] }
    const made = maker(key)
    nodes.push(
      plan.add({ kind: 'connect-network', cause, ...on, network, endpoint: endpoint(network), ...told }, [
        ...last(),
        ...(made === undefined ? [] : [made]),
      ]),
    )
  }
  return nodes.slice(after.length)
}
