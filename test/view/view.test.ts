import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ContainerStats, ContainerSummary, Port } from '../../src/api/containers.ts'
import { listedName } from '../../src/api/listed-name.ts'
import { binarySize, decimalSize } from '../../src/lib/units.ts'
import { containerRow } from '../../src/view/containers.ts'
import { eventRow, eventText } from '../../src/view/events.ts'
import { imageRows, usedImageRow } from '../../src/view/images.ts'
import { cut } from '../../src/view/names.ts'
import { portsText, publishedAt, publishersOf } from '../../src/view/ports.ts'
import { projectRows } from '../../src/view/projects.ts'
import { statsRow } from '../../src/view/stats.ts'
import { volumeRow } from '../../src/view/volumes.ts'
import { summary } from '../cli/fake-client.ts'

function port(text: string): Port {
  const [, IP, outside, inside, Type = 'tcp'] = /^(?:(.*):(\d+)->)?(\d+)(?:\/(\w+))?$/.exec(text)!
  return {
    PrivatePort: Number(inside),
    Type,
    ...(IP === undefined ? {} : { IP, PublicPort: Number(outside) }),
  }
}

describe('portsText()', () => {
  for (const [ports, expected] of [
    [[], ''],
    [['0.0.0.0:8080->80', '443'], '443/tcp, 0.0.0.0:8080->80/tcp'],
    [['0.0.0.0:80->80', '0.0.0.0:81->81', '0.0.0.0:83->83'], '0.0.0.0:80-81->80-81/tcp, 0.0.0.0:83->83/tcp'],
    [['80', '81', '82/udp', '83'], '80-81/tcp, 83/tcp, 82/udp'],
    [['127.0.0.1:38001->81', '127.0.0.1:38002->82'], '127.0.0.1:38001->81/tcp, 127.0.0.1:38002->82/tcp'],
    [[':::38000->80', '0.0.0.0:38000->80'], '0.0.0.0:38000->80/tcp, [::]:38000->80/tcp'],
    [['0.0.0.0:80->80', ':::80->80'], '0.0.0.0:80->80/tcp, [::]:80->80/tcp'],
  ] as const)
    test(`of ${ports.join(', ') || 'nothing'} is ${expected || 'nothing'}`, () =>
      assert.equal(portsText(ports.map(port)), expected))

  test('publishersOf() has a port that is exposed only with 0', () => {
    assert.deepEqual(publishersOf([port('80')]), [{ URL: '', TargetPort: 80, PublishedPort: 0, Protocol: 'tcp' }])
  })

  test('publishedAt() prefers IPv4, and knows protocols', () => {
    const ports = [port(':::38000->80'), port('0.0.0.0:38001->80'), port('::1:38002->81/udp'), port('82')]
    assert.equal(publishedAt(ports, 80, 'tcp'), '0.0.0.0:38001')
    assert.equal(publishedAt(ports, 81, 'udp'), '[::1]:38002')
    assert.equal(publishedAt(ports, 81, 'tcp'), undefined)
    assert.equal(publishedAt(ports, 82, 'tcp'), ':0')
    assert.equal(publishedAt(ports, 83, 'tcp'), undefined)
  })
})

describe('containerRow()', () => {
  const container: ContainerSummary = {
    ...summary('web', 1),
    Command: 'sh -c \'echo "a"; sleep 1000\'',
    Created: 1_700_000_000,
    State: 'restarting',
    Status: 'Restarting (3) 2 seconds ago',
    Mounts: [
      {
        Type: 'volume',
        Name: 'f609d438ef07d16f1693',
        Source: '/x',
        Driver: 'local',
        Destination: '/a',
        Mode: '',
        RW: true,
        Propagation: '',
      },
      { Type: 'bind', Source: '/home/me/shop/site', Destination: '/b', Mode: '', RW: true, Propagation: '' },
    ],
    NetworkSettings: { Networks: { shop_default: {}, shop_back: {} } },
    Labels: { ...summary('web', 1).Labels, x: 'one two', 'tscompose.fields': '{"a":"b","c":"d"}' },
  }

  test('has the members of Compose, cut as Compose cuts them', () => {
    const row = containerRow(container, { now: 1_700_000_090_000 })
    assert.equal(row.Command, '"sh -c \'echo \\"a\\"; sl…"')
    assert.equal(row.ID, 'web100000000')
    assert.deepEqual(
      [row.ExitCode, row.LocalVolumes, row.Mounts, row.Networks, row.RunningFor],
      [3, '1', 'f609d438ef07d1…,/home/me/shop/…', 'shop_back,shop_default', 'About a minute ago'],
    )
    assert.match(row.CreatedAt, /^2023-11-14 \d\d:\d\d:20 [+-]\d{4} \S+$/)
    assert.deepEqual([row.Label('x'), row.Label('y')], ['one two', ''])
    assert.equal('Label' in JSON.parse(JSON.stringify(row)), false)
  })

  test('keeps our own bookkeeping out of the labels, since readers split them at commas', () => {
    const { Labels } = containerRow(container, { now: 0 })
    assert.ok(Labels.split(',').every(each => /^[\w.-]+=/.test(each)))
    assert.ok(Labels.includes('x=one two'))
  })

  test('shows all of it when asked to', () => {
    const row = containerRow(container, { now: 0, whole: true })
    assert.equal(row.ID, container.Id)
    assert.equal(row.Mounts, 'f609d438ef07d16f1693,/home/me/shop/site')
    assert.equal(JSON.parse(row.Command), container.Command)
  })

  for (const [status, health] of [
    ['Up 4 seconds (healthy)', 'healthy'],
    ['Up 4 seconds (health: starting)', 'starting'],
    ['Up 4 seconds (unhealthy)', 'unhealthy'],
    ['Up 4 seconds (Paused)', ''],
  ] as const)
    test(`reads the health of "${status}"`, () =>
      assert.equal(containerRow({ ...container, Status: status }, { now: 0 }).Health, health))

  test('listedName() takes its own name and not those of links', () => {
    assert.equal(listedName({ ...container, Names: ['/other/alias', '/shop-web-1'] }), 'shop-web-1')
  })

  test('cut() counts characters', () => assert.deepEqual([cut('äöü', 3), cut('😀😀😀', 2)], ['äöü', '😀…']))
})

describe('rows', () => {
  test('projectRows() counts states by project, without containers of run', () => {
    const rows = projectRows([
      { ...summary('a', 1), Labels: { ...summary('a', 1).Labels, 'com.docker.compose.project.config_files': '/x,/y' } },
      { ...summary('a', 2), State: 'exited' },
      summary('a', 3),
      { ...summary('a', 4), Labels: { ...summary('a', 4).Labels, 'com.docker.compose.oneoff': 'True' } },
    ])
    assert.deepEqual(rows, [{ Name: 'shop', Status: 'exited(1), running(2)', ConfigFiles: '/x,/y' }])
  })

  test('usedImageRow() takes names apart, and lives without an image', () => {
    const image = (Image: string) => usedImageRow({ ...summary('a', 1), Image }, undefined)
    assert.partialDeepStrictEqual(image('reg:5000/a/b'), { Repository: 'reg:5000/a/b', Tag: 'latest' })
    assert.partialDeepStrictEqual(image('reg:5000/a/b:1'), { Repository: 'reg:5000/a/b', Tag: '1' })
    assert.partialDeepStrictEqual(image(`b@sha256:${'a'.repeat(64)}`), { Repository: 'b', Tag: '' })
    assert.partialDeepStrictEqual(image(`sha256:${'a'.repeat(64)}`), { Repository: '', Tag: '', Size: 0 })
  })

  test('imageRows() has a row for each name and one for none', () => {
    const image = {
      Id: 'sha256:1',
      ParentId: '',
      RepoDigests: [],
      Created: 1,
      Size: 2,
      SharedSize: -1,
      Containers: -1,
      Labels: {},
    }
    assert.deepEqual(
      imageRows({ ...image, RepoTags: ['a:1', 'r:5/b:2'] }).map(row => [row.Repository, row.Tag]),
      [
        ['a', '1'],
        ['r:5/b', '2'],
      ],
    )
    assert.equal(imageRows({ ...image, RepoTags: [] })[0]!.Tag, '<none>')
  })

  test('volumeRow() has N/A for what is not known', () => {
    const row = volumeRow({
      Driver: 'local',
      Labels: { a: 'b' },
      Mountpoint: '/m',
      Name: 'v',
      Options: null,
      Scope: 'local',
    })
    assert.partialDeepStrictEqual(row, { Labels: 'a=b', Size: 'N/A', Links: 'N/A', Scope: 'local' })
  })

  test('eventRow() is of containers of services, with nanoseconds and without labels of Compose', () => {
    const event = {
      Type: 'container',
      Action: 'die',
      Actor: {
        ID: 'f00',
        Attributes: { name: 'a-1', exitCode: '3', 'com.docker.compose.service': 'a', 'tscompose.fields': '{}' },
      },
      scope: 'local',
      time: 1_700_000_000,
      timeNano: Number(1_700_000_000_123_456_768n),
    }
    const row = eventRow(event)!
    assert.deepEqual(row, {
      action: 'die',
      attributes: { name: 'a-1', exitCode: '3' },
      id: 'f00',
      service: 'a',
      time: '2023-11-14T22:13:20.123456768Z',
      type: 'container',
    })
    assert.equal(eventText(row), '2023-11-14 22:13:20.123456 container die f00 (name=a-1, exitCode=3)')
    assert.equal(eventRow({ ...event, Type: 'network' }), undefined)
    const oneOff = { ...event.Actor.Attributes, 'com.docker.compose.oneoff': 'True' }
    assert.equal(eventRow({ ...event, Actor: { ID: 'f00', Attributes: oneOff } }), undefined)
  })

  test('statsRow() computes what docker computes', () => {
    const usage = (total_usage: number, system_cpu_usage: number) => ({
      cpu_usage: { total_usage, usage_in_kernelmode: 0, usage_in_usermode: 0 },
      system_cpu_usage,
      online_cpus: 2,
      throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
    })
    const stats = {
      cpu_stats: usage(150, 1100),
      precpu_stats: usage(100, 1000),
      memory_stats: { usage: 600 * 1024, limit: 2 ** 30, stats: { inactive_file: 264 * 1024 } },
      networks: {
        eth0: {
          rx_bytes: 900,
          tx_bytes: 100,
          rx_packets: 0,
          rx_errors: 0,
          rx_dropped: 0,
          tx_packets: 0,
          tx_errors: 0,
          tx_dropped: 0,
        },
      },
      blkio_stats: {
        io_service_bytes_recursive: [
          { major: 8, minor: 0, op: 'Read', value: 1500 },
          { major: 8, minor: 0, op: 'Write', value: 2_000_000 },
        ],
      },
      pids_stats: { current: 3 },
    } as unknown as ContainerStats
    assert.deepEqual(statsRow(summary('a', 1), stats), {
      BlockIO: '1.5kB / 2MB',
      CPUPerc: '100.00%',
      Container: summary('a', 1).Id,
      ID: 'a10000000000',
      MemPerc: '0.03%',
      MemUsage: '336KiB / 1GiB',
      Name: 'shop-a-1',
      NetIO: '900B / 100B',
      PIDs: '3',
    })
    assert.equal(statsRow(summary('a', 1), undefined).MemUsage, '-- / --')
  })

  test('sizes have the digits docker gives them', () => {
    assert.deepEqual([decimalSize(0), decimalSize(1_984_239), decimalSize(999_999)], ['0B', '1.98MB', '1000kB'])
    assert.deepEqual([binarySize(0), binarySize(344 * 1024), binarySize(23.54 * 2 ** 30)], ['0B', '344KiB', '23.54GiB'])
  })
})
