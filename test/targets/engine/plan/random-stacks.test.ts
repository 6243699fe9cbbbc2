import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Project } from '../../../../src/model/project.ts'
import { printPlan } from '../../../../src/plan/print.ts'
import { reconcile } from '../../../../src/targets/engine/plan/reconcile.ts'
import { applied, healthcheck, needs, nothing, project, service, volume, volumeMount } from './project.ts'

test('every plan puts each node after those it depends on, and a second one is empty, for stacks made at random', () => {
  // a fixed seed: the same stacks every time
  let seed = 20261122
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * below)
  }
  for (let round = 0; round < 150; round++) {
    const count = 1 + random(12)
    const make = (variant: number): Project =>
      project(
        Array.from({ length: count }, (_, i) => {
          const conditions = ['started', 'healthy', 'completed'] as const
          const dependsOn =
            i === 0 ? {} : needs(`s${(i * 7 + round) % i}`, conditions[(i + round) % 3], { restart: i % 4 === 0 })
          const shares = i > 0 && (i + round) % 5 === 0
          return service(`s${i}`, {
            healthcheck,
            replicas: shares ? 1 : 1 + ((i + round) % 3),
            dependsOn: shares ? { ...dependsOn, ...needs('s0') } : dependsOn,
            ...(shares ? { networkMode: { kind: 'service', service: 's0' }, networks: {} } : {}),
            ...((i + variant) % 3 === 0 ? { user: String(variant) } : {}),
            mounts: i % 2 === 0 ? [volumeMount('data', '/data')] : [],
          })
        }),
        { volumes: { data: volume('data') } },
      )
    let observed = nothing()
    for (const variant of [0, 1, 2]) {
      const shop = make(variant)
      const plan = reconcile(shop, observed)
      for (const { id, after, operation } of plan.nodes) {
        assert.ok(after.every(before => before < id))
        if (operation.kind === 'start-container') checkOrder(shop, plan.nodes, { id, service: operation.service! })
      }
      observed = applied(plan, observed)
      const second = reconcile(shop, observed)
      // jobs run again each time, with what lives in their namespaces; nothing else is touched
      const touched = second.nodes.filter(({ operation: { kind } }) => !/^(start|restart|wait)-container$/.test(kind))
      assert.deepEqual(touched, [], `round ${round}, variant ${variant}:\n${printPlan(second)}`)
    }
  }
})

/** All that starts what a service needs is among what its own start comes after, directly or not. */
function checkOrder(
  shop: Project,
  nodes: ReturnType<typeof reconcile>['nodes'],
  start: { readonly id: number; readonly service: string },
): void {
  const reached = new Set<number>()
  const open = [start.id]
  for (let id = open.pop(); id !== undefined; id = open.pop())
    for (const before of nodes[id - 1]!.after)
      if (!reached.has(before)) {
        reached.add(before)
        open.push(before)
      }
  for (const needed of Object.keys(shop.services[start.service]!.dependsOn))
    for (const { id, operation } of nodes)
      if (operation.kind === 'start-container' && operation.service === needed)
        assert.ok(reached.has(id), `#${start.id} ${start.service} must come after #${id} ${needed}`)
}
