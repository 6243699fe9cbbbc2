import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parseSubnet } from '../../../src/engine/networks/address.ts'
import { asks, type NetworksBox, open } from './networks-box.ts'

const subnetOf = ({ networks }: NetworksBox, name: string) => networks.inspect(name).IPAM.Config![0]!.Subnet!
const takes = ({ kernel }: NetworksBox, ...subnets: readonly string[]) => {
  kernel.subnets = subnets.map(each => parseSubnet(each)!)
}

describe('a subnet that nobody has chosen', () => {
  test('is given up for another one where somebody else has it by the time a container comes', async t => {
    const box = await open(t)
    const { networks, paths, member, said } = box
    const { id } = await networks.create({ Name: 'n' })
    const first = subnetOf(box, 'n')
    takes(box, first)
    const [attachment] = await networks.attach(member('web'), [asks({ network: 'n' })])
    const second = subnetOf(box, 'n')
    assert.notEqual(second, first)
    assert.equal(attachment!.ipv4!.split('.').slice(0, 3).join('.'), second.split('.').slice(0, 3).join('.'))
    assert.deepEqual(said, [`Network "n" has ${second}: ${first} is somebody else's on this machine now`])
    const record = JSON.parse(readFileSync(paths.networkRecord(id), 'utf8'))
    assert.deepEqual(
      record.pools.map(({ subnet }: { subnet: string }) => subnet),
      [second],
    )
    // with somebody on it, the host reaches it by its own bridge
    takes(box, first, second)
    await networks.attach(member('other'), [asks({ network: 'n' })])
    assert.equal(subnetOf(box, 'n'), second)
  })

  test('is kept where it is free', async t => {
    const box = await open(t)
    await box.networks.create({ Name: 'n' })
    const before = subnetOf(box, 'n')
    await box.networks.attach(box.member('web'), [asks({ network: 'n' })])
    assert.deepEqual([subnetOf(box, 'n'), box.said], [before, []])
  })

  test('of the default bridge is given up too, though an engine before has had it', async t => {
    const first = await open(t)
    const web = first.member('web')
    await first.networks.attach(web, [asks({ network: 'bridge' })])
    const before = subnetOf(first, 'bridge')
    await first.networks.detach(web.id)
    const next = await open(t, first)
    takes(next, before)
    await next.networks.attach(next.member('web'), [asks({ network: 'bridge' })])
    assert.notEqual(subnetOf(next, 'bridge'), before)
  })

  test('is not one that was asked for: that stays', async t => {
    const box = await open(t)
    await box.networks.create({ Name: 'n', IPAM: { Config: [{ Subnet: '10.99.0.0/24' }] } })
    takes(box, '10.99.0.0/24')
    await box.networks.attach(box.member('web'), [asks({ network: 'n' })])
    assert.equal(subnetOf(box, 'n'), '10.99.0.0/24')
  })
})
