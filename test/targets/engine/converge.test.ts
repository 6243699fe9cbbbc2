import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { run } from '../../../src/apply/run.ts'
import { Failure } from '../../../src/lib/failure.ts'
import { converge } from '../../../src/targets/engine/converge.ts'
import type { EnginePlan } from '../../../src/targets/engine/engine-plan.ts'
import { enginePerformer } from '../../../src/targets/engine/perform/operations.ts'
import { FakeClient, type Handler } from './fake-client.ts'
import { attachment, network, project, service, volume, volumeMount } from './plan/project.ts'

interface Made {
  Id: string
  Name: string
  Labels: Record<string, string>
}

/** An engine that remembers networks and containers, and what `others` do just before a call. */
function engine(others: Readonly<Record<string, (made: Map<string, Made>, body: Made) => void>> = {}) {
  const made = new Map<string, Made>()
  const make = (kind: string, name: string, labels: Record<string, string>): { Id: string; Warnings: [] } => {
    if (made.has(name)) throw new Failure('conflict', `${kind} ${name} already exists`)
    made.set(name, { Id: `id-of-${name}`, Name: name, Labels: labels })
    return { Id: `id-of-${name}`, Warnings: [] }
  }
  const listed = (kind: string): Made[] => [...made.values()].filter(({ Id }) => kinds.get(Id) === kind)
  const kinds = new Map<string, string>()
  const handlers: Record<string, Handler> = {
    containerList: () =>
      listed('container').map(({ Id, Name, Labels }) => {
        const Networks = { shop_default: { NetworkID: 'id-of-shop_default' } }
        const rest = {
          Image: 'busybox',
          ImageID: 'sha256:1',
          State: 'running',
          Status: 'Up',
          HostConfig: {},
          Mounts: [],
        }
        return { Id, Names: [`/${Name}`], Labels, NetworkSettings: { Networks }, ...rest }
      }),
    networkList: () => listed('network'),
    volumeList: () => ({ Volumes: [] }),
    imageInspect: () => ({ Id: 'sha256:1' }),
    networkInspect: ({ params }) => made.get(params!['id']!),
    networkCreate: ({ body }) => {
      const { Name, Labels } = body as Made
      kinds.set(`id-of-${Name}`, 'network')
      others['networkCreate']?.(made, body as Made)
      return make('network', Name, Labels)
    },
    containerInspect: ({ params }) => {
      const { Id, Name, Labels } = made.get(params!['id']!.replace(/^id-of-/, ''))!
      return {
        Id,
        Name: `/${Name}`,
        Config: { Labels },
        HostConfig: {},
        NetworkSettings: { Networks: { shop_default: {} } },
      }
    },
    containerCreate: ({ query, body }) => {
      const name = String(query!['name'])
      kinds.set(`id-of-${name}`, 'container')
      others['containerCreate']?.(made, { ...(body as Made), Name: name })
      return make('container', name, (body as Made).Labels)
    },
    containerStart: () => undefined,
  }
  return { client: new FakeClient(handlers), made }
}

function bring(
  client: FakeClient,
  brought = project([service('web')]),
): { readonly plans: EnginePlan[]; readonly done: Promise<boolean> } {
  const plans: EnginePlan[] = []
  const done = converge({
    client,
    project: brought,
    options: {},
    carryOut: async plan => {
      plans.push(plan)
      await run(plan, enginePerformer(client))
    },
  })
  return { plans, done }
}

describe('converge()', () => {
  test('takes over the network that another up made between its look and its call', async () => {
    const { client } = engine({
      networkCreate: (made, { Name, Labels }) => made.set(Name, { Id: `id-of-${Name}`, Name, Labels }),
    })
    const { plans, done } = bring(client)
    assert.equal(await done, true)
    assert.equal(plans.length, 1)
    assert.equal(client.calls.at(-1), 'containerStart id-of-shop-web-1')
  })

  test('looks again and plans anew when another up was quicker with something else under that name', async () => {
    let times = 0
    const { client } = engine({
      containerCreate: (made, { Name, Labels }) => {
        // somebody with another file: same service, other configuration
        if (times++ === 0)
          made.set(Name, {
            Id: `id-of-${Name}`,
            Name,
            Labels: { ...Labels, 'com.docker.compose.config-hash': 'x', 'tscompose.fields': '{"image":"x"}' },
          })
      },
    })
    const { plans, done } = bring(client)
    await done.catch(() => undefined)
    assert.equal(plans.length > 1, true)
    assert.deepEqual(plans[1]!.nodes.map(({ operation }) => operation.kind).slice(0, 1), ['create-container'])
    assert.match(plans[1]!.nodes[0]!.operation.cause, /changed/)
  })

  test('makes networks before it fails for an external volume that is not there, as Compose does, and nothing for another failure', async () => {
    const data = volume('data', { external: true })
    const net = network('net', { external: true })
    const web = service('web', { mounts: [volumeMount('data', '/data')] })
    const { client, made } = engine()
    const { done } = bring(client, project([web], { volumes: { data } }))
    await assert.rejects(done, /external volume "shop_data" not found/)
    assert.deepEqual([...made.keys()], ['shop_default'])
    const other = engine()
    const stack = project([web, service('edge', { networks: { net: attachment('net') } })], {
      volumes: { data },
      networks: { net },
    })
    await assert.rejects(bring(other.client, stack).done, /declared as external/)
    assert.deepEqual([...other.made.keys()], [])
  })

  test('does not try again what nobody else is the cause of', async () => {
    const { client } = engine()
    const plans: EnginePlan[] = []
    const refused = converge({
      client,
      project: project([service('web')]),
      options: {},
      carryOut: async plan => {
        plans.push(plan)
        await run(plan, {
          perform: async ({ kind }) => {
            if (kind === 'start-container') throw new Failure('conflict', 'port is taken')
            return { id: 'x' }
          },
        })
      },
    })
    await assert.rejects(refused, /port is taken/)
    assert.equal(plans.length, 1)
  })
})
