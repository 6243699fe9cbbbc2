import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkNetworkFilters, matchesNetwork } from '../../../src/engine/networks/network-filters.ts'

describe('a network is meant', () => {
  const network = {
    ...{ id: 'abc123', name: 'shop_front', driver: 'bridge', labels: { tier: 'front' } },
    ...{ members: new Map([['web', {}]]), isPredefined: false },
  } as unknown as Parameters<typeof matchesNetwork>[0]
  const lonely = { ...network, members: new Map() } as typeof network
  const builtin = { ...lonely, isPredefined: true } as typeof network

  for (const [filters, which] of [
    [{}, [true, true, true]],
    [{ name: ['front'] }, [true, true, true]],
    [{ name: ['^front'] }, [false, false, false]],
    [{ name: ['x', 'shop_.*'] }, [true, true, true]],
    [{ id: ['bc1'] }, [true, true, true]],
    [{ id: ['^bc1'] }, [false, false, false]],
    [{ label: ['tier'] }, [true, true, true]],
    [{ label: ['tier=back'] }, [false, false, false]],
    [{ driver: ['bridge'] }, [true, true, true]],
    [{ driver: ['host'] }, [false, false, false]],
    [{ scope: ['local'] }, [true, true, true]],
    [{ scope: ['swarm'] }, [false, false, false]],
    [{ type: ['custom'] }, [true, true, false]],
    [{ type: ['builtin'] }, [false, false, true]],
    [{ dangling: ['true'] }, [false, true, false]],
    [{ dangling: ['1'] }, [false, true, false]],
    [{ dangling: ['false'] }, [true, false, true]],
    [{ dangling: [] }, [true, true, true]],
    [{ name: ['front'], driver: ['host'] }, [false, false, false]],
  ] as const)
    test(`by ${JSON.stringify(filters)}`, () =>
      assert.deepEqual(
        [network, lonely, builtin].map(each => matchesNetwork(each, filters)),
        which,
      ))
})

test('a filter that means nothing is refused', () => {
  const network = { name: 'a', id: 'b', driver: 'bridge', labels: {}, members: new Map(), isPredefined: false }
  for (const dangling of [['x'], ['true', 'false']])
    assert.throws(
      () => matchesNetwork(network as unknown as Parameters<typeof matchesNetwork>[0], { dangling }),
      /invalid filter 'dangling=/,
    )
  assert.throws(() => checkNetworkFilters({ type: ['x'] }), /invalid filter: 'type'='x'/)
  assert.throws(() => checkNetworkFilters({ nosuch: ['x'] }), /invalid filter 'nosuch'/)
  checkNetworkFilters({ type: ['custom', 'builtin'], dangling: ['1'] })
})
