import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFixed, isolate, portKey, unpinnedNetworks, withPorts } from '../../src/model/isolate.ts'
import type { Port } from '../../src/model/port.ts'
import type { Service } from '../../src/model/service.ts'
import { attachment, network, project, service, volume } from '../targets/engine/plan/project.ts'

function port(own: Partial<Port> = {}): Port {
  return { target: 80, protocol: 'tcp', mode: 'ingress', path: [], published: '8080', ...own }
}

/** `web` as it is isolated, in a project called shop-x. */
function web(own: Partial<Service>, others: readonly Service[] = []): Service {
  const own_ = project([service('web', own), ...others], { name: 'shop-x' })
  return isolate(own_, 'x').services['web']!
}

describe('isolate()', () => {
  test('scopes a container_name, and keeps it as a name on the networks of the project', () => {
    const { containerName, networks } = web({ containerName: 'shop-db' })
    assert.equal(containerName, 'shop-db-x')
    assert.deepEqual(networks['default']!.aliases, ['shop-db'])
  })

  test('puts no name of its own on a network that others share', () => {
    const shared = isolate(
      project([service('web', { containerName: 'db', networks: { out: attachment('out') } })], {
        networks: { out: network('out', { external: true }) },
      }),
      'x',
    )
    assert.deepEqual(shared.services['web']!.networks['out']!.aliases, [])
  })

  test('follows a scoped container wherever the stack speaks of it, and leaves those of others alone', () => {
    const db = service('db', { containerName: 'db' })
    const own = {
      networkMode: { kind: 'container', container: 'db' },
      pid: { kind: 'container', container: 'db' },
      ipc: { kind: 'container', container: 'else' },
      volumesFrom: [
        { kind: 'container', name: 'db', readOnly: false },
        { kind: 'service', name: 'db', readOnly: false },
      ],
      externalLinks: [{ container: 'db', alias: 'db' }],
    } as const
    const found = web({ ...own, networks: {} }, [db])
    assert.deepEqual(found.networkMode, { kind: 'container', container: 'db-x' })
    assert.deepEqual(found.pid, { kind: 'container', container: 'db-x' })
    assert.deepEqual(found.ipc, { kind: 'container', container: 'else' })
    assert.deepEqual(
      found.volumesFrom.map(each => each.name),
      ['db-x', 'db'],
    )
    assert.equal(found.externalLinks[0]!.container, 'db-x')
  })

  test('scopes names that the files pin, and neither those that follow from the project nor what is external', () => {
    const isolated = isolate(
      project([], {
        name: 'shop-x',
        networks: {
          default: network('default', { name: 'shop-x_default' }),
          pinned: network('pinned', { name: 'net' }),
          out: network('out', { name: 'out', external: true }),
        },
        volumes: {
          data: volume('data', { name: 'shop-x_data' }),
          pinned: volume('pinned', { name: 'vol' }),
          out: volume('out', { name: 'out', external: true }),
        },
      }),
      'x',
    )
    const names = (record: Readonly<Record<string, { name: string }>>) => Object.values(record).map(each => each.name)
    assert.deepEqual(names(isolated.networks), ['shop-x_default', 'net-x', 'out'])
    assert.deepEqual(names(isolated.volumes), ['shop-x_data', 'vol-x', 'out'])
  })

  test('leaves subnets and addresses that the files pin to the engine, except on networks of others', () => {
    const ipam = { config: [{ subnet: '10.9.0.0/24', auxAddresses: {} }], options: {} }
    const networks = { back: network('back', { ipam }), out: network('out', { ipam, external: true }) }
    const attached = (key: string) => attachment(key, { ipv4Address: '10.9.0.5' })
    const found = isolate(
      project([service('web', { networks: { back: attached('back'), out: attached('out') } })], { networks }),
      'x',
    )
    assert.deepEqual(found.networks['back']!.ipam.config, [])
    assert.deepEqual(found.networks['out']!.ipam.config, ipam.config)
    assert.equal(found.services['web']!.networks['back']!.ipv4Address, undefined)
    assert.equal(found.services['web']!.networks['out']!.ipv4Address, '10.9.0.5')
    assert.deepEqual(unpinnedNetworks(project([], { networks })), ['back'])
  })

  for (const [image, scoped] of [
    ['shop/web', 'shop/web-x'],
    ['shop/web:dev', 'shop/web-x:dev'],
    ['localhost:5000/web', 'localhost:5000/web-x'],
    ['localhost:5000/web:1', 'localhost:5000/web-x:1'],
  ] as const)
    test(`scopes ${image}, which it builds, to ${scoped}, for whoever uses it`, () => {
      const build = { context: '/src', tags: [] } as never
      const both = isolate(project([service('web', { image, build }), service('worker', { image })]), 'x')
      assert.deepEqual([both.services['web']!.image, both.services['worker']!.image], [scoped, scoped])
    })

  test('leaves an image alone that it does not build', () => {
    assert.equal(web({ image: 'nginx:1' }).image, 'nginx:1')
  })
})

describe('withPorts()', () => {
  test('moves the ports it is given, of the service and the address they are meant for', () => {
    const ports = [port(), port({ hostIp: '127.0.0.1' }), port({ target: 81 })]
    const moved = withPorts(project([service('web', { ports }), service('api', { ports })]), {
      [portKey('web', ports[1]!)]: '8081',
    })
    assert.deepEqual(
      moved.services['web']!.ports.map(each => each.published),
      ['8080', '8081', '8080'],
    )
    assert.deepEqual(moved.services['api']!.ports, ports)
  })
})

for (const [published, fixed] of [
  ['8080', true],
  ['8000-8010', false],
  ['0', false],
  [undefined, false],
] as const)
  test(`isFixed() is ${fixed} for ${published}`, () => assert.equal(isFixed(port({ published })), fixed))
