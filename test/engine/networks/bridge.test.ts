import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asks, open, rejected } from './networks-box.ts'

describe('a bridge', () => {
  test('that goes with its last container is made again for one that comes at that moment', async t => {
    const { networks, links, gate, member, operations } = await open(t)
    const [first, second] = [member('first'), member('second')]
    await networks.attach(first, [asks({ network: 'bridge' })])
    const going = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    gate.before = async ([operation]) => {
      if (operation?.kind !== 'delete-link') return
      going.resolve()
      await go.promise
    }
    const left = networks.detach(first.id)
    await going.promise
    const attached = networks.attach(second, [asks({ network: 'bridge' })])
    go.resolve()
    await Promise.all([left, attached])
    assert.equal(links.size, 1, 'whoever has been attached has a bridge')
    assert.deepEqual(
      operations.map(({ kind }) => kind).filter(kind => kind !== 'sysctl'),
      ['create-bridge', 'delete-link', 'create-bridge'],
    )
  })

  test('stays when somebody has come before its removal had its turn', async t => {
    const { networks, links, member, operations } = await open(t)
    const [first, second] = [member('first'), member('second')]
    await networks.attach(first, [asks({ network: 'bridge' })])
    const attached = networks.attach(second, [asks({ network: 'bridge' })])
    await Promise.all([attached, networks.detach(first.id)])
    assert.equal(links.size, 1)
    assert.ok(operations.every(({ kind }) => kind !== 'delete-link'))
  })

  test('of a removed network is gone before a new network has one of that name', async t => {
    const { networks, links, gate, member } = await open(t)
    const body = { Name: 'n', Options: { 'com.docker.network.bridge.name': 'brx' } }
    await networks.create(body)
    const web = member('web')
    await networks.attach(web, [asks({ network: 'n' })])
    await networks.detach(web.id)
    const go = Promise.withResolvers<void>()
    gate.before = async ([operation]) => (operation?.kind === 'delete-link' ? go.promise : undefined)
    const removed = networks.remove('n')
    const attached = networks.create(body).then(() => networks.attach(member('next'), [asks({ network: 'n' })]))
    go.resolve()
    await Promise.all([removed, attached])
    assert.deepEqual([...links], ['brx'])
  })

  test('is looked at once for all who ask before that look has its turn, and once more for who asks later', async t => {
    const { networks, kernel, member } = await open(t)
    await networks.attach(member('first'), [asks({ network: 'bridge' })])
    let looks = 0
    const link = kernel.link.bind(kernel)
    kernel.link = name => {
      looks++
      return link(name)
    }
    const attach = (name: string) => networks.attach(member(name), [asks({ network: 'bridge' })])
    await attach('alone')
    const one = looks
    looks = 0
    await Promise.all(Array.from({ length: 100 }, (_, i) => attach(`c${i}`)))
    assert.equal(looks, 2 * one, 'the first at once, all others together')
  })

  test('that is removed after somebody has asked for it is there for who asks then', async t => {
    const { networks, links, gate, member } = await open(t)
    const [first, second, third] = [member('first'), member('second'), member('third')]
    await networks.attach(first, [asks({ network: 'bridge' })])
    const go = Promise.withResolvers<void>()
    gate.before = () => go.promise
    const left = networks.detach(first.id)
    const all = [
      networks.attach(second, [asks({ network: 'bridge' })]),
      networks.attach(third, [asks({ network: 'bridge' })]),
    ]
    go.resolve()
    await Promise.all([left, ...all])
    assert.equal(links.size, 1)
  })

  test('takes 1,023 containers, and the next one is told so before anything is made for it', async t => {
    const { networks, operations, member } = await open(t)
    await networks.create({ Name: 'n', IPAM: { Config: [{ Subnet: '10.8.0.0/16' }] } })
    const first = member('first')
    await networks.attach(first, [asks({ network: 'n' })])
    for (let i = 1; i < 1023; i++) await networks.attach(member(`c${i}`), [asks({ network: 'n' })])
    operations.length = 0
    const late = member('late')
    await assert.rejects(networks.attach(late, [asks({ network: 'n' })]), {
      kind: 'conflict',
      message:
        'failed to set up container networking: Cannot connect "late" to network "n": a bridge of Linux takes 1023 containers, and it has them',
    })
    assert.deepEqual(operations, [])
    await networks.detach(first.id)
    assert.equal((await networks.attach(late, [asks({ network: 'n' })])).length, 1)
  })

  test('deleted behind our back is there again at the next use, with the containers that were on it', async t => {
    const { networks, links, member, operations } = await open(t)
    await networks.create({ Name: 'n', Options: { 'com.docker.network.bridge.enable_icc': 'false' } })
    const [attachment] = await networks.attach(member('web'), [asks({ network: 'n' })])
    const { bridge, host } = attachment!.interface
    links.add(host)
    links.delete(bridge)
    operations.length = 0
    await networks.attach(member('other'), [asks({ network: 'n' })])
    assert.ok(links.has(bridge))
    assert.deepEqual(
      operations
        .filter(({ kind }) => kind === 'join-bridge')
        .find(operation => 'name' in operation && operation.name === host),
      { kind: 'join-bridge', name: host, bridge, isolated: true, hairpin: false },
    )
  })

  test('that was given a name is there as soon as its network is, and after a reboot', async t => {
    const first = await open(t)
    const { networks, links, gate } = first
    await networks.create({ Name: 'own' })
    assert.deepEqual([...links], [])
    const named = { Name: 'named', Options: { 'com.docker.network.bridge.name': 'brx' } }
    gate.before = async () => {
      throw new Error('no')
    }
    await assert.rejects(networks.create(named))
    gate.before = async () => undefined
    await networks.create(named)
    assert.deepEqual([...links], ['brx'])
    const message =
      /^cannot create network \w+ \(brx\): conflicts with network \w+ \(brx\): networks have same bridge name$/
    await assert.rejects(networks.create({ ...named, Name: 'other' }), { kind: 'denied', message })
    // one that holds settings alone has no bridge
    await networks.create({ ...named, Name: 'settings', ConfigOnly: true })
    links.clear()
    const next = await open(t, first)
    await next.networks.settle()
    assert.deepEqual([...next.links], ['brx'])
  })

  test('deleted while no engine looked is there again when the next has taken over', async t => {
    const first = await open(t)
    await first.networks.create({ Name: 'n' })
    const web = first.member('web')
    const attachments = await first.networks.attach(web, [asks({ network: 'n' })])
    first.links.clear()
    const next = await open(t, first)
    await next.networks.adopt(web, { attachments, ports: [] })
    await next.networks.settle()
    assert.ok(next.links.has(attachments[0]!.interface.bridge))
  })

  test('that cannot be removed leaves its network known', async t => {
    const { networks, gate, member } = await open(t)
    await networks.create({ Name: 'n' })
    const web = member('web')
    await networks.attach(web, [asks({ network: 'n' })])
    await networks.detach(web.id)
    gate.before = async () => {
      throw new Error('no')
    }
    await assert.rejects(networks.remove('n'))
    gate.before = async () => undefined
    await networks.remove('n')
    await rejected(networks.remove('n'), 'not-found', 'network n not found')
  })

  test('that was only ever announced leaves no rule in Docker’s chain when the engine ends, one that is there does', async t => {
    for (const isUsed of [false, true]) {
      const { networks, kernel, member } = await open(t)
      /** By handle. */
      const chain = new Map<number, string>()
      let last = 0
      const change = kernel.runNft.bind(kernel)
      kernel.runNft = commands => {
        if (commands.startsWith('list chain ip filter DOCKER-USER'))
          return [...chain].map(([handle, rule]) => `\t\t${rule} # handle ${handle}`).join('\n')
        for (const [, rule] of commands.matchAll(/^insert rule ip filter DOCKER-USER (.+)$/gm)) chain.set(++last, rule!)
        for (const [, handle] of commands.matchAll(/^delete rule ip filter DOCKER-USER handle (\d+)$/gm))
          chain.delete(Number(handle))
        return change(commands)
      }
      await networks.create({ Name: 'n' })
      if (isUsed) await networks.attach(member('web'), [asks({ network: 'n' })])
      assert.equal(chain.size, 4)
      await networks.close()
      assert.equal(chain.size, isUsed ? 4 : 0)
    }
  })
})
