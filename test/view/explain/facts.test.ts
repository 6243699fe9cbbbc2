import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { steps } from '../../../src/runtime/steps.ts'
import { factsOf, isKnown } from '../../../src/view/explain/facts.ts'
import type { ProgramStep } from '../../../src/view/explain/steps.ts'

const step = (name: string, args: ProgramStep['args'] = {}, cause = 'default'): ProgramStep => ({ name, args, cause })
const texts = (...program: readonly ProgramStep[]) => factsOf(program).map(({ about, text }) => `${about}: ${text}`)
const group = '/sys/fs/cgroup/memory/tscompose/x'

describe('factsOf()', () => {
  test('has words for every step of the table', () => {
    assert.deepEqual(
      Object.keys(steps).filter(name => !isKnown(name)),
      [],
    )
  })

  test('tells a step of a newer engine as it is', () => {
    assert.deepEqual(texts(step('levitate', { height: 3 })), ['process: levitate 3'])
  })

  test('gathers the steps of a mount in one sentence, with flags and options', () => {
    const flags = 'MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV'
    const facts = factsOf([
      step('fs-open', { type: 'tmpfs' }, 'a'),
      step('fs-set', { key: 'source', value: 'tmpfs' }, 'a'),
      step('fs-set', { key: 'size', value: '67108864' }, 'a'),
      step('fs-mount', { slot: 3, attributes: flags }, 'a'),
      step('place', { slot: 3, path: '/tmp', make: 'folder' }, 'a'),
    ])
    assert.deepEqual(facts, [
      {
        about: 'mounts',
        text: '/tmp is in memory (at most 64 MiB), nosuid, nodev',
        cause: 'a',
        steps: [1, 2, 3, 4, 5],
      },
    ])
  })

  test('tells volumes from folders of the host, taken before others are placed', () => {
    assert.deepEqual(
      texts(
        step('tree', { slot: 25, path: '/srv/src', recursive: 1 }),
        step('tree', { slot: 3, path: '/var/lib/tscompose/volumes/shop_data/_data', recursive: 1 }),
        step('attributes', { slot: 3, set: '0', clear: '0', propagation: 'MS_PRIVATE', recursive: 1 }),
        step('place', { slot: 3, path: '/data', make: 'folder' }),
        step('attributes', { slot: 25, set: 'MOUNT_ATTR_RDONLY', clear: '0', propagation: 'MS_SHARED', recursive: 1 }),
        step('place', { slot: 25, path: '/src', make: 'folder' }),
      ),
      ['mounts: /data is the volume shop_data', 'mounts: /src is /srv/src of the host, read-only'],
    )
  })

  test('tells the root with its layers, and that it is read-only', () => {
    assert.deepEqual(
      texts(
        step('fs-open', { type: 'overlay' }),
        step('fs-set', { key: 'source', value: 'overlay' }),
        step('fs-set', { key: 'lowerdir+', value: '/b' }, 'image'),
        step('fs-set', { key: 'lowerdir+', value: '/a' }, 'image'),
        step('fs-set', { key: 'lowerdir+', value: '/mounted-over' }),
        step('fs-set', { key: 'upperdir', value: '/u' }),
        step('fs-mount', { slot: 0, attributes: '0' }),
        step('attach-root', { slot: 0, path: '/run/x' }),
        step('fs-open', { type: 'proc' }),
        step('fs-mount', { slot: 3, attributes: '0' }),
        step('place', { slot: 3, path: '/proc', make: 'folder' }),
        step('attributes', { slot: 0, set: 'MOUNT_ATTR_RDONLY', clear: '0', propagation: '0', recursive: 0 }),
        step('pivot', { slot: 0 }),
      ),
      [
        'root: The root is the image, 2 layers, and what is changed in it is written above it',
        'root: The root is read-only',
        'root: The root of the host is left',
        'mounts: File systems of the kernel: /proc (proc)',
      ],
    )
  })

  test('gathers what several steps do alike, by their cause', () => {
    const facts = factsOf([
      step('mask', { path: '/proc/kcore' }, 'm'),
      step('write', { path: `${group}/devices.allow`, value: 'c 1:3 rwm' }),
      step('mask', { path: '/proc/keys' }, 'm'),
      step('write', { path: `${group}/devices.allow`, value: 'c 10:200 rwm' }, 'HostConfig.Devices[0]'),
    ])
    assert.deepEqual(
      facts.map(({ text, steps: numbers }) => [text, numbers]),
      [
        ['Hidden: /proc/kcore, /proc/keys', [1, 3]],
        ['May use devices c 1:3 rwm', [2]],
        ['May use devices c 10:200 rwm', [4]],
      ],
    )
  })

  for (const [file, value, text] of [
    ['memory.limit_in_bytes', '67108864', 'Memory is limited to 64 MiB'],
    ['memory.max', 'max', 'Memory is not limited'],
    ['memory.memsw.limit_in_bytes', '134217728', 'Memory and swap together are limited to 128 MiB'],
    ['cpu.max', '50000 100000', 'Processor time is limited to 0.5 of a processor'],
    ['cpu.cfs_quota_us', '50000', 'Processor time is limited to 50 ms in each period'],
    ['pids.max', '50', 'At most 50 processes and threads'],
    ['io.max', '8:0 rbps=1', 'io.max of its group is 8:0 rbps=1'],
  ] as const)
    test(`says of ${file}: ${text}`, () => {
      assert.deepEqual(texts(step('write', { path: `${group}/${file}`, value })), [`limits: ${text}`])
    })

  test('comes by what it is about: limits, network, root, mounts, isolation, process', () => {
    const program = [
      step('exec', { argv: ['sleep', '1'], env: '2 variables' }),
      step('clone', { flags: 'CLONE_NEWNS|CLONE_NEWPID' }),
      step('address', { inside: 1, name: 'eth0', address: '0ad00402', prefix: 22 }),
      step('address', { inside: 1, name: 'eth0', address: 'fd000000000000000000000000000002', prefix: 64 }),
      step('rlimit', { resource: 'RLIMIT_NOFILE', soft: 100, hard: 200 }),
    ]
    assert.deepEqual(texts(...program), [
      'limits: RLIMIT_NOFILE is 100, and may be raised to 200',
      'network: eth0 has the address 10.208.4.2/22',
      'network: eth0 has the address fd00:0:0:0:0:0:0:2/64',
      'isolation: Namespaces of its own: mounts, processes (CLONE_NEWNS|CLONE_NEWPID)',
      'process: It runs sleep 1, with 2 variables of environment',
    ])
  })
})
