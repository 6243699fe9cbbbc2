import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fillHostConfig } from '../../src/engine/containers/config/host-config.ts'
import type { Machine } from '../../src/engine/containers/config/host-config-row.ts'
import { usualLog } from '../../src/engine/logs/log-defaults.ts'
import { lackedWithoutRoot } from '../../src/engine/without-root.ts'
import { hasAllIds, lastId } from '../../src/runtime/host.ts'

const reason = 'this engine has no root rights'
const machine: Machine = { cpus: 4, logs: usualLog, nodes: () => 1, lacking: () => reason, none: reason }

describe('limits where there is no group at all', () => {
  const asked = { Memory: 64 << 20, NanoCpus: 5e8, PidsLimit: 100, MemorySwappiness: -1, OomKillDisable: false }

  test('each that is asked for is told of by its name, also to who would have it refused otherwise', () => {
    const { hostConfig, warnings } = fillHostConfig(asked, { ...machine, strict: true })
    assert.deepEqual(
      warnings.sort(),
      ['Memory', 'NanoCpus', 'PidsLimit'].map(name => `HostConfig.${name} is not in force: ${reason}`),
    )
    assert.deepEqual([hostConfig.Memory, hostConfig.MemorySwap, hostConfig.NanoCpus], [0, 0, 0])
  })

  test('where only one controller is missing, Docker refuses a number of processors', () =>
    assert.throws(() => fillHostConfig({ NanoCpus: 5e8 }, { ...machine, none: undefined }), {
      message: /^NanoCPUs can not be set/,
    }))
})

describe('lackedWithoutRoot()', () => {
  const all = { none: undefined, lacking: () => undefined }
  const route = 'Iface\tDestination\tGateway\nway0\t00000000\t010200C0\t0003\n'

  test('says nothing where all is there', () =>
    assert.deepEqual(lackedWithoutRoot({ cgroups: all, routes: [route, ''], storage: 'overlay2' }), []))

  test('a route that leads to a network of its own is no way out', () =>
    assert.match(
      lackedWithoutRoot({ cgroups: all, routes: ['way0\t0000D00A\t00000000\t0001\n', ''], storage: 'overlay2' }).join(),
      /nothing outside/,
    ))

  test('names the controllers that were not given', () =>
    assert.match(
      lackedWithoutRoot({
        cgroups: {
          none: undefined,
          lacking: limit => (limit === 'cpusetCpus' || limit === 'readBps' ? 'no' : undefined),
        },
        routes: [route, ''],
        storage: 'overlay2',
      }).join(),
      /^Limits of cpuset, io are not in force/,
    ))

  test('without any group says why', () =>
    assert.match(
      lackedWithoutRoot({ cgroups: { none: reason, lacking: () => reason }, routes: [route, ''], storage: 'vfs' }).join(
        '\n',
      ),
      new RegExp(`${reason}\nEach container has a whole copy`),
    ))
})

test('the first user namespace has every id', () => {
  assert.equal(hasAllIds('         0          0 4294967295\n'), true)
  assert.equal(hasAllIds('         0       1001          1\n         1     100000      65536\n'), false)
})

test('the last id of a map', () =>
  assert.equal(lastId('         0       1001          1\n         1     100000      65536\n'), 65_536))
