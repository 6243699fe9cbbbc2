/** What pages compute, without a browser. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ServiceRow } from '../../src/view/stacks.ts'
import { drawingOf, pathThrough } from '../../src/web/pages/graph-layout.ts'
import { LogBuffer } from '../../src/web/pages/log-buffer.ts'
import { groupFindings, reachOf } from '../../src/web/pages/reach.ts'
import { readSnapshot, type Snapshot, snapshotHtml } from '../../src/web/pages/snapshot-file.ts'
import { StatsBook } from '../../src/web/pages/stats-series.ts'
import { mergedTimeline } from '../../src/web/pages/timeline-rows.ts'
import { waitsOf } from '../../src/web/pages/waits.ts'
import type { StackModel, Usage } from '../../src/web/wire.ts'

const entry = (text: string) => ({
  time: 1,
  service: 'a',
  container: 'a-1',
  level: 'none',
  stream: 'stdout' as const,
  text,
})

describe('LogBuffer', () => {
  test('keeps the newest lines under numbers that stay, and counts what it let go', () => {
    const buffer = new LogBuffer(3)
    buffer.add({ lines: ['1', '2'].map(entry), left: 5 })
    buffer.add({ lines: ['3', '4'].map(entry), notes: [{ container: 'a-1', text: 'ended with 1' }] })
    assert.deepEqual(
      buffer.lines.map(({ id, text }) => [id, text]),
      [
        [2, '3'],
        [3, '4'],
        [4, 'a-1 ended with 1'],
      ],
    )
    assert.equal(buffer.left, 7)
    buffer.clear()
    assert.deepEqual([buffer.lines.length, buffer.left], [0, 0])
  })
})

describe('StatsBook', () => {
  const usage = (time: number, more: Partial<Usage> = {}): Usage => ({
    container: 'a-1',
    service: 'a',
    time,
    cpu: 1,
    cpuLimit: undefined,
    memory: 2,
    memoryLimit: undefined,
    received: 0,
    sent: 0,
    read: 0,
    written: 0,
    processes: 1,
    ...more,
  })

  test('makes rates of counters, none where one has gone back', () => {
    const book = new StatsBook()
    book.add(usage(1000, { received: 100 }))
    book.add(usage(3000, { received: 300, sent: 100 }))
    book.add(usage(4000, { received: 10 }))
    assert.deepEqual(book.all[0]!.network, [0, 150, 0])
  })

  test('keeps five minutes, and forgets what says nothing any more', () => {
    const book = new StatsBook()
    for (let at = 0; at < 400; at++) book.add(usage(at * 1000))
    assert.equal(book.all[0]!.times.length, 300)
    assert.equal(book.all[0]!.times[0], 100)
    book.forget(400_000)
    assert.deepEqual(book.all, [])
  })
})

const service = (name: string, condition: ServiceRow['condition'], health?: 'starting' | 'healthy'): ServiceRow => ({
  name,
  condition,
  needs: [],
  replicas: [
    {
      id: name,
      name: `${name}-1`,
      service: name,
      number: 1,
      oneOff: false,
      condition,
      status: '',
      exitCode: undefined,
      health,
      image: '',
      created: 0,
      ports: [],
    },
  ],
})

test('waitsOf() says what each condition waits for, and whether it is so', () => {
  const need = (on: string, condition: string, more = {}) => ({
    service: on,
    condition,
    required: true,
    restart: false,
    ...more,
  })
  const rows = [service('db', 'starting', 'starting'), service('job', 'done'), service('up', 'running')]
  assert.deepEqual(
    waitsOf(
      {
        needs: [
          need('db', 'healthy'),
          need('db', 'started'),
          need('job', 'completed', { restart: true }),
          need('gone', 'started', { required: false }),
        ],
      },
      rows,
    ),
    [
      { text: 'db is healthy: it is starting', isMet: false },
      { text: 'db has started', isMet: true },
      { text: 'job has completed (restarted with it)', isMet: true },
      { text: 'gone has started: it is not there (optional)', isMet: false },
    ],
  )
})

test('reachOf() tells who may reach a port', () => {
  const port = (URL: string) => ({ URL, PublishedPort: 8080, TargetPort: 80, Protocol: 'tcp' })
  const urls = [{ Service: 'web', Container: 'web-1', Port: '80/tcp', URL: 'http://localhost:8080' }]
  assert.deepEqual(
    ['127.0.0.1', '0.0.0.0', '::', '10.1.2.3'].map(ip => {
      const { address, who, tone } = reachOf(port(ip), urls, 'web-1')
      return [address, who, tone]
    }),
    [
      ['127.0.0.1:8080', 'this machine', 'idle'],
      ['0.0.0.0:8080', 'every network this machine is in', 'warn'],
      ['[::]:8080', 'every network this machine is in', 'warn'],
      ['10.1.2.3:8080', 'the network of 10.1.2.3', 'warn'],
    ],
  )
  assert.equal(reachOf(port('::'), urls, 'web-1').link, 'http://localhost:8080')
  assert.equal(reachOf(port('::'), urls, 'other-1').link, undefined)
})

test('groupFindings() tells the same of several services once', () => {
  const finding = (name: string, grants: string) => ({
    service: name,
    severity: 'low',
    rule: 'r',
    grants,
    risk: '',
    change: '',
  })
  assert.deepEqual(
    groupFindings([finding('a', 'x'), finding('b', 'x'), finding('a', 'y')]).map(({ services, grants }) => [
      services,
      grants,
    ]),
    [
      [['a', 'b'], 'x'],
      [['a'], 'y'],
    ],
  )
})

test('mergedTimeline() puts applies and repairs among the events, the newest first', () => {
  const rows = mergedTimeline(
    [{ time: 5, kind: 'start', service: 'a', container: 'a-1', text: 'started' }],
    [
      {
        number: 2,
        command: 'repair',
        user: 'keeper',
        begun: new Date(9).toISOString(),
        outcome: 'done',
        failures: [],
        what: '~ a: start',
        images: {},
        hasModel: true,
      },
      {
        number: 1,
        command: 'up',
        user: 'ada',
        begun: new Date(1).toISOString(),
        outcome: 'failed',
        failures: ['no image'],
        what: '',
        images: {},
        hasModel: true,
      },
    ],
  )
  assert.deepEqual(
    rows.map(({ kind, text, detail }) => [kind, text, detail]),
    [
      ['repair', 'repaired by the keeper: done', '~ a: start'],
      ['start', 'started', undefined],
      ['apply', 'up by ada: failed', 'no image'],
    ],
  )
})

test('drawingOf() lays out services, and what they use, inside its bounds', () => {
  const model: StackModel = {
    services: ['web', 'db'].map(name => ({
      name,
      build: false,
      replicas: 1,
      needs: name === 'web' ? [{ service: 'db', condition: 'healthy', required: true, restart: false }] : [],
      networks: ['front'],
      volumes: name === 'db' ? [{ key: 'data', target: '/d' }] : [],
      ports: name === 'web' ? [{ published: '80', target: 80, protocol: 'tcp', host: '' }] : [],
    })),
    networks: [],
    volumes: [],
    problems: [],
    findings: [],
    names: { services: [], networks: [], volumes: [], configs: [], secrets: [] },
    files: [],
  }
  const whole = drawingOf(model, true)
  assert.deepEqual(whole.boxes.map(({ kind }) => kind).sort(), ['network', 'port', 'service', 'service', 'volume'])
  for (const { x, y, width, height } of whole.boxes)
    assert.ok(x >= 0 && y >= 0 && x + width <= whole.width && y + height <= whole.height)
  const services = drawingOf(model, false)
  assert.deepEqual(
    services.lines.map(({ from, to, condition }) => [from, to, condition]),
    [['service db', 'service web', 'healthy']],
  )
  const [db, web] = ['db', 'web'].map(name => services.boxes.find(({ title }) => title === name)!)
  assert.ok(db!.x < web!.x, 'what is needed stands before what needs it')
  assert.match(pathThrough(services.lines[0]!.points), /^M[\d.]+,[\d.]+/)
})

describe('a snapshot file', () => {
  const snapshot: Snapshot = {
    version: 1,
    taken: '2026-01-02T03:04:05.000Z',
    engine: 'unix:///x',
    stacks: [],
    troubles: [],
    models: {},
    logs: { shop: [{ time: 1, service: 'web', text: '</script><img src=x onerror=alert(1)>\u2028' }] },
  }

  test('gives back what it was made of, and nothing in it is markup', () => {
    const html = snapshotHtml(snapshot, { body: '<p>ok</p>', style: 'a{}</style><b>' })
    assert.equal(html.match(/<script/g)?.length, 1)
    assert.doesNotMatch(html, /<img/)
    assert.equal(html.match(/<\/style>/g)?.length, 1)
    assert.deepEqual(readSnapshot(html), snapshot)
    assert.deepEqual(readSnapshot(JSON.stringify(snapshot)), snapshot)
  })

  test('is refused when it is none', () => {
    for (const text of [
      '',
      '{}',
      '[]',
      'null',
      '{"version":2}',
      '<html></html>',
      '{"version":1,"taken":"x","stacks":[1],"troubles":[],"logs":{}}',
    ])
      assert.throws(() => readSnapshot(text), /no snapshot/)
  })
})
