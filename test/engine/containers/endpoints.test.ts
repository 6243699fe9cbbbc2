import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { endpointsOf, networkKind } from '../../../src/engine/containers/config/endpoints.ts'
import { endpointRequest } from '../../../src/engine/networks/endpoint-request.ts'

test('networkKind() knows the modes that are no network', () => {
  assert.deepEqual(['host', 'none', 'container:web', 'bridge', 'hosts', 'my:container:'].map(networkKind), [
    { kind: 'host' },
    { kind: 'none' },
    { kind: 'container', ref: 'web' },
    { kind: 'networks' },
    { kind: 'networks' },
    { kind: 'networks' },
  ])
})

describe('endpointsOf()', () => {
  const asked = (...names: readonly string[]) => Object.fromEntries(names.map(name => [name, { Aliases: [name] }]))

  test('is the network of the mode alone where none is named', () => {
    assert.deepEqual(endpointsOf('front', undefined), [endpointRequest('front', undefined)])
    assert.deepEqual(endpointsOf('front', {}), [endpointRequest('front', undefined)])
  })

  test('has that of the mode first and the others by name, and "default" is the bridge', () => {
    const bridge = { Aliases: ['default'] }
    assert.deepEqual(endpointsOf('m', asked('z', 'm', 'a', 'default')), [
      endpointRequest('m', { Aliases: ['m'] }),
      endpointRequest('a', { Aliases: ['a'] }),
      endpointRequest('bridge', bridge),
      endpointRequest('z', { Aliases: ['z'] }),
    ])
  })

  test('is empty where the network is not the container’s own, and refuses others beside it', () => {
    for (const mode of ['host', 'none', 'container:web'])
      assert.deepEqual(endpointsOf(mode, asked(mode, 'default')), [])
    assert.throws(() => endpointsOf('host', asked('a', 'b', 'bridge')), {
      kind: 'invalid',
      message: 'conflicting options: cannot attach network mode "host" to networks a, b',
    })
  })

  test('refuses a network without settings', () => {
    assert.throws(() => endpointsOf('a', { a: {}, b: null }), {
      kind: 'invalid',
      message: 'invalid config for network b: EndpointsConfig is nil',
    })
  })
})
