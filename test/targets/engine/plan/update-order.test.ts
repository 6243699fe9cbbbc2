import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Rollout } from '../../../../src/model/deploy.ts'
import type { Service } from '../../../../src/model/service.ts'
import { updateOrder } from '../../../../src/targets/engine/plan/update-order.ts'
import { attachment, service, volumeMount } from './project.ts'

const bind = {
  ...{ kind: 'bind', source: '/srv', target: '/srv', readOnly: false, path: [], createHostPath: false },
} as const
const port = { target: 80, published: '8080', protocol: 'tcp', mode: 'ingress', path: [] } as const

describe('the new container of an update comes', () => {
  const order = (own: Partial<Service>, order?: Rollout['order'], handsOver = true) => {
    const { first, why } = updateOrder(service('web', own), { order }, { handsOver })
    return why === undefined ? first : `${first}, since ${why}`
  }
  const address = (own: object) => ({ networks: { front: attachment('front', own) } })

  for (const [title, own, unsaid, asked] of [
    ['first, where nothing speaks against it', {}, 'start', 'start'],
    [
      'after, where both would write to a volume',
      { mounts: [volumeMount('data', '/data')] },
      'stop, since both would write to /data',
      'start',
    ],
    ['after, where both would write to a folder', { mounts: [bind] }, 'stop, since both would write to /srv', 'start'],
    [
      'first, where a volume is read alone',
      { mounts: [{ ...volumeMount('data', '/data'), readOnly: true }] },
      'start',
      'start',
    ],
    [
      'first, where what is written is each one’s own',
      { mounts: [{ kind: 'tmpfs', target: '/tmp', readOnly: false, options: [], path: [] }] },
      'start',
      'start',
    ],
    [
      'after, where the network is the host’s',
      { networkMode: { kind: 'host' } },
      'stop, since both would listen in one network',
      'start',
    ],
    [
      'after, where the network is a service’s',
      { networkMode: { kind: 'service', service: 'a' } },
      'stop, since both would listen in one network',
      'start',
    ],
    [
      'after, where the network is a container’s',
      { networkMode: { kind: 'container', container: 'a' } },
      'stop, since both would listen in one network',
      'start',
    ],
    ['first, where there is no network', { networkMode: { kind: 'none' } }, 'start', 'start'],
    [
      'after, where an address is fixed',
      address({ ipv4Address: '10.1.0.9' }),
      'stop, since only one container can have the address 10.1.0.9',
      'stop, since only one container can have the address 10.1.0.9',
    ],
    [
      'after, where an IPv6 address is fixed',
      address({ ipv6Address: 'fd00::9' }),
      'stop, since only one container can have the address fd00::9',
      'stop, since only one container can have the address fd00::9',
    ],
    [
      'after, where a MAC address is fixed',
      address({ macAddress: '02:42' }),
      'stop, since only one container can have the address 02:42',
      'stop, since only one container can have the address 02:42',
    ],
    [
      'after, where the service has a MAC address',
      { macAddress: '02:43' },
      'stop, since only one container can have the address 02:43',
      'stop, since only one container can have the address 02:43',
    ],
  ] as readonly (readonly [string, Partial<Service>, string, string])[])
    test(title, () =>
      assert.deepEqual([order(own), order(own, 'start-first'), order(own, 'stop-first')], [unsaid, asked, 'stop']),
    )

  test('after, where the engine cannot pass a port on', () => {
    const why = 'stop, since this engine cannot pass port 8080 from one container to the next'
    assert.deepEqual([order({ ports: [port] }), order({ ports: [port] }, 'start-first', false)], ['start', why])
    assert.equal(order({ ports: [{ ...port, published: undefined }] }, undefined, false), 'start')
  })
})
