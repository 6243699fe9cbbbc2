/** Networks without a kernel, for the tests beside. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Aside } from '../../../src/engine/base/aside.ts'
import { type EngineEvent, Events } from '../../../src/engine/base/events.ts'
import type { Paths } from '../../../src/engine/base/paths.ts'
import { parseSubnet } from '../../../src/engine/networks/address.ts'
import { type EndpointRequest, endpointRequest } from '../../../src/engine/networks/endpoint-request.ts'
import { parsePool } from '../../../src/engine/networks/ipam.ts'
import { Networks } from '../../../src/engine/networks/networks.ts'
import { type FailureKind, isFailure } from '../../../src/lib/failure.ts'
import { newId } from '../../../src/lib/ids.ts'
import type { Runtime } from '../../../src/runtime/runtime.ts'
import type { HostOperation } from '../../../src/runtime/spec.ts'
import { FakeNetworkKernel } from '../../support/fake-network-kernel.ts'
import { temporaryPaths } from '../../support/temporary-paths.ts'

/** Networks over a kernel that does nothing but remember. */
export async function open(t: TestContext, again?: NetworksBox): Promise<NetworksBox> {
  const paths = again?.paths ?? temporaryPaths(t)
  const kernel = again?.kernel ?? new FakeNetworkKernel()
  kernel.subnets = [parseSubnet('10.7.0.0/24')!]
  const operations: HostOperation[] = []
  /** A test that forces an order waits here before the kernel does anything. */
  const gate = { before: async (_operations: readonly HostOperation[]): Promise<void> => undefined }
  const events = new Events()
  const seen: EngineEvent[] = []
  events.listen(event => seen.push(event))
  const said: string[] = []
  const runtime = {
    async runHost(spec: { operations: readonly HostOperation[] }) {
      await gate.before(spec.operations)
      operations.push(...spec.operations)
      for (const operation of spec.operations) kernel.apply(operation)
    },
    hasSandbox: () => true,
  } as unknown as Runtime
  const networks = await Networks.open({
    paths,
    events,
    runtime,
    pools: [parsePool('10.7.0.0/16')],
    kernel,
    aside: new Aside(paths, line => said.push(line)),
  })
  t.after(() => networks.close())
  const member = (name: string) => ({ id: newId(), name })
  return { networks, paths, kernel, links: kernel.links, operations, rules: kernel.rules, seen, said, member, gate }
}

export interface NetworksBox {
  readonly networks: Networks
  readonly paths: Paths
  readonly kernel: FakeNetworkKernel
  /** Of the kernel. */
  readonly links: Set<string>
  readonly rules: string[]
  readonly operations: HostOperation[]
  readonly seen: EngineEvent[]
  /** Lines for the engine's log. */
  readonly said: string[]
  readonly member: (name: string) => { readonly id: string; readonly name: string }
  readonly gate: { before: (operations: readonly HostOperation[]) => Promise<void> }
}

export const rejected = (promise: Promise<unknown>, kind: FailureKind, message: string | RegExp) =>
  assert.rejects(promise, (error: Error) => {
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    assert.ok(isFailure(error, kind), `kind ${kind}`)
    return true
  })

/** What is asked of a network, with the defaults of what is left out. */
export function asks({ network, ...more }: Partial<EndpointRequest> & { readonly network: string }): EndpointRequest {
  return { ...endpointRequest(network), ...more }
}
