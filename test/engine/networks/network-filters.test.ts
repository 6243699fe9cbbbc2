import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { matchesNetwork, parseUntil } from '../../../src/engine/networks/network-filters.ts'

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
    [{ dangling: ['true', 'false'] }, [true, true, true]],
    [{ dangling: [] }, [true, true, true]],
    [{ name: ['front'], driver: ['host'] }, [false, false, false]],
  ] as const)
    test(`by ${JSON.stringify(filters)}`, () =>
      assert.deepEqual(
        [network, lonely, builtin].map(each => matchesNetwork(each, filters)),
        which,
      ))
})

test('parseUntil() reads seconds since 1970, a time, and a duration before now', () => {
  const now = 1_000_000_000
  assert.deepEqual(
    ['30s', '5m', '2h', '1700000000', '2024-01-02T03:04:05Z'].map(text => parseUntil(text, now)),
    [now - 30e3, now - 300e3, now - 7200e3, 1.7e12, Date.UTC(2024, 0, 2, 3, 4, 5)],
  )
  for (const text of ['soon', '5 m', '1w', 'x5m'])
    assert.throws(() => parseUntil(text, now), { kind: 'invalid', message: `invalid filter 'until=${text}'` })
})
