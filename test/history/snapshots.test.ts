import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { planRestore } from '../../src/history/restore.ts'
import { type NewSnapshot, Snapshots } from '../../src/history/snapshots.ts'
import { goOn } from '../../src/history/standing.ts'
import { takeSnapshot } from '../../src/history/take-snapshot.ts'
import { Failure, isFailure } from '../../src/lib/failure.ts'
import { projectFolder } from '../../src/state/folder.ts'
import { EnginePlan } from '../../src/targets/engine/engine-plan.ts'
import { labels } from '../../src/targets/engine/labels.ts'
import type { ObservedContainer } from '../../src/targets/engine/observed.ts'
import { dataWithNewImage } from '../../src/targets/engine/plan/data-images.ts'
import { FakeClient, type Handler } from '../targets/engine/fake-client.ts'
import { image, nothing, project, service, volumeMount } from '../targets/engine/plan/project.ts'

const folder = mkdtempSync(join(tmpdir(), 'snapshots-'))
after(() => rmSync(folder, { recursive: true }))

let state = 0
let snapshots: Snapshots
let files: string
beforeEach(() => {
  const of = { host: 'unix:///fake.sock', env: { TSCOMPOSE_STATE: join(folder, String(++state)) } }
  snapshots = new Snapshots('shop', of)
  files = join(projectFolder('shop', of), 'snapshots')
})

const db: ObservedContainer = {
  id: 'db',
  name: 'shop-db-1',
  service: 'db',
  number: 1,
  oneOff: false,
  state: 'running',
  exitCode: undefined,
  health: undefined,
  image: 'busybox',
  imageId: 'sha256:1',
  labels: {},
  networkMode: 'shop_default',
  networks: {},
  volumes: [{ name: 'shop_rows', target: '/rows' }],
}

const own = { [labels.project]: 'shop' }
const seen = nothing({
  containers: [db, { ...db, id: 'web', name: 'shop-web-1', service: 'web', volumes: [] }],
  volumes: new Map([
    ['shop_rows', { name: 'shop_rows', labels: own }],
    ['shop_nfs', { name: 'shop_nfs', labels: own, shape: { Driver: 'local', Options: { type: 'nfs' } } }],
    ['other', { name: 'other', labels: {} }],
  ]),
})

const calm: Record<string, Handler> = {
  containerPause: () => undefined,
  containerUnpause: () => undefined,
  containerStop: () => undefined,
  containerStart: () => undefined,
  volumeClone: () => ({}),
  volumeRemove: () => undefined,
}

function take(client: FakeClient, meanwhile: 'paused' | 'stopped' | 'running' = 'paused') {
  const told: string[] = []
  const done = takeSnapshot({
    client,
    snapshots,
    project: project([service('db', { mounts: [volumeMount('rows', '/rows')] })]),
    observed: seen,
    entries: [],
    name: 'daily',
    cause: 'asked for',
    user: 'ada',
    meanwhile,
    tell: text => told.push(text),
  })
  return { done, told }
}

describe('takeSnapshot()', () => {
  for (const [meanwhile, hold, release] of [
    ['paused', ['containerPause db'], ['containerUnpause db']],
    ['stopped', ['containerStop db'], ['containerStart db']],
    ['running', [], []],
  ] as const)
    test(`copies the project's own volumes while their containers are ${meanwhile}`, async () => {
      const client = new FakeClient(calm)
      const { done, told } = take(client, meanwhile)
      await done
      assert.deepEqual(client.calls, [...hold, 'volumeClone shop_rows', ...release])
      assert.match(told.join('\n'), /^Volume shop_nfs is left out: its data is where its driver_opts say$/m)
      const kept = snapshots.get('daily')
      assert.deepEqual(kept.volumes, [{ volume: 'shop_rows', labels: own, copy: 'shop_snapshot-daily_shop_rows' }])
      assert.deepEqual(kept.images, { busybox: { id: 'sha256:1' } })
    })

  test('lets what it paused go on, and keeps nothing, when a copy fails', async () => {
    const full = () => {
      throw new Failure('internal', 'no space left on device')
    }
    const client = new FakeClient({ ...calm, volumeClone: full })
    await assert.rejects(take(client).done, /no space left/)
    assert.equal(client.calls.at(-1), 'containerUnpause db')
    assert.deepEqual(snapshots.read(), { snapshots: [], damaged: [] })
  })

  test('has what stands still written down before it does, until it goes on', async () => {
    const seenThere: unknown[] = []
    const look = () => void seenThere.push(snapshots.standing.read())
    const client = new FakeClient({ ...calm, containerPause: look, containerUnpause: look })
    await take(client).done
    const still = {
      snapshot: 'daily',
      how: 'paused',
      containers: ['db'],
      volumes: ['shop_rows'],
      copies: ['shop_snapshot-daily_shop_rows'],
    }
    assert.deepEqual(seenThere, [still, still])
    assert.equal(snapshots.standing.read(), undefined)
  })

  test('keeps it written down where it cannot be let go on', async () => {
    const refuse = () => {
      throw new Failure('internal', 'the cgroup is busy')
    }
    await assert.rejects(take(new FakeClient({ ...calm, containerUnpause: refuse })).done, /Cannot let shop-db-1 go on/)
    assert.equal(snapshots.standing.read()?.snapshot, 'daily')
  })

  test('refuses a name that is taken before it pauses anything', async () => {
    await take(new FakeClient(calm)).done
    const client = new FakeClient(calm)
    await assert.rejects(take(client).done, error => isFailure(error, 'conflict'))
    assert.deepEqual(client.calls, [])
  })

  test('copies through containers that never start where the engine cannot clone, and leaves none of them', async () => {
    let made = 0
    const missing = () => {
      throw new Failure('not-found', 'page not found')
    }
    const client = new FakeClient({
      ...calm,
      volumeClone: missing,
      volumeInspect: ({ params }) => (params!['name'] === 'shop_rows' ? {} : missing()),
      volumeCreate: () => ({}),
      containerCreate: () => ({ Id: `helper${++made}`, Warnings: [] }),
      containerArchiveGet: () => ({ stat: undefined, content: [] }),
      containerArchivePut: () => undefined,
      containerRemove: () => undefined,
    })
    await take(client).done
    assert.deepEqual(client.calls.slice(-7), [
      'containerCreate',
      'containerCreate',
      'containerArchiveGet helper1',
      'containerArchivePut helper2',
      'containerRemove helper2',
      'containerRemove helper1',
      'containerUnpause db',
    ])
  })
})

describe('goOn()', () => {
  const still = {
    snapshot: 'daily',
    containers: ['db', 'web', 'gone'],
    volumes: ['rows'],
    copies: ['copy', 'never made'],
  }
  const there = (state: object) => ({
    ...calm,
    containerInspect: ({ params }: Parameters<Handler>[0]) => {
      if (params!['id'] === 'gone') throw new Failure('not-found', 'No such container')
      return {
        Name: `/shop-${params!['id']}-1`,
        State: params!['id'] === 'db' ? state : { Running: true, Paused: false },
      }
    },
    containerStart: () => undefined,
    containerList: () => [
      { Id: 'helper', Labels: { 'tscompose.copy': 'copy' } },
      { Id: 'another', Labels: { 'tscompose.copy': 'of another' } },
    ],
    containerRemove: () => undefined,
    volumeRemove: ({ params }: Parameters<Handler>[0]) => {
      if (params!['name'] === 'never made') throw new Failure('not-found', 'no such volume')
    },
  })
  for (const [how, state, release, word] of [
    ['paused', { Running: true, Paused: true }, 'containerUnpause db', 'was paused'],
    ['stopped', { Running: false, Paused: false }, 'containerStart db', 'had been stopped'],
  ] as const)
    test(`lets go on what was ${how} and stands still, and takes the copies away`, async () => {
      const client = new FakeClient(there(state))
      const { standing } = snapshots
      standing.begin({ ...still, how })
      const told: string[] = []
      const has = (name: string) => snapshots.has(name)
      await goOn({ client, standing, has, tell: text => told.push(text) })
      assert.deepEqual(
        client.calls.filter(call => !call.startsWith('containerInspect')),
        [release, 'containerList', 'containerRemove helper', 'volumeRemove copy', 'volumeRemove never made'],
      )
      assert.deepEqual(told, [`Snapshot daily was broken off: shop-db-1 ${word} for it, and goes on`])
      assert.equal(standing.read(), undefined)
      await goOn({ client, standing, has, tell: text => told.push(text) })
      assert.equal(told.length, 1)
    })
})

describe('Snapshots', () => {
  const one: NewSnapshot = {
    name: 'one',
    created: '2026-11-28T00:00:00.000Z',
    user: 'ada',
    cause: 'asked for',
    volumes: [],
    images: {},
    files: {},
    variables: {},
  }

  test('are read the oldest first, damaged ones told of', () => {
    snapshots.add({ ...one, name: 'b', created: '2026-11-27T00:00:00.000Z' })
    snapshots.add(one)
    writeFileSync(join(files, 'torn.json'), '{"version":1,')
    const { snapshots: found, damaged } = snapshots.read()
    assert.deepEqual(
      found.map(each => each.name),
      ['b', 'one'],
    )
    assert.match(damaged[0]!, /torn\.json": it is not whole/)
  })

  for (const name of ['../x', 'A', '', '.x', 'a/b', 'a'.repeat(65)])
    test(`refuse the name ${JSON.stringify(name.slice(0, 8))}`, () => {
      assert.throws(
        () => snapshots.get(name),
        error => isFailure(error, 'invalid'),
      )
    })

  test('say which there are when one is asked for that is not', () => {
    snapshots.add(one)
    assert.throws(
      () => snapshots.get('two'),
      error => isFailure(error, 'not-found') && error.hint === 'It has one',
    )
  })
})

describe('planRestore()', () => {
  const snapshot = {
    version: 1,
    name: 'daily',
    created: '2026-11-28T00:00:00.000Z',
    user: 'ada',
    cause: 'asked for',
    images: {},
    files: {},
    variables: {},
    volumes: [{ volume: 'shop_rows', labels: own, copy: 'copy' }],
  } as const
  const volumes = new Map([...seen.volumes, ['copy', { name: 'copy', labels: {} }]])

  test('takes away the volume and who has it mounted, which a person is asked for', async () => {
    const client = new FakeClient({ containerList: () => [] })
    const plan = await planRestore(client, { project: 'shop', snapshot, observed: { ...seen, volumes } })
    assert.deepEqual(
      plan.nodes.map(({ operation, after }) => [operation.kind, operation.name, ...after]),
      [
        ['stop-container', 'shop-db-1'],
        ['remove-container', 'shop-db-1', 1],
        ['remove-volume', 'shop_rows', 2],
      ],
    )
    assert.equal(plan.destructive().length, 1)
  })

  test('refuses when a copy is gone', async () => {
    const refused = planRestore(new FakeClient({}), { project: 'shop', snapshot, observed: seen })
    await assert.rejects(
      refused,
      error => isFailure(error, 'not-found') && /volume "copy" of it is gone/.test(error.message),
    )
  })

  test('refuses when a container of another project has the volume mounted', async () => {
    const client = new FakeClient({ containerList: () => [{ Names: ['/stranger'], Labels: {} }] })
    const refused = planRestore(client, { project: 'shop', snapshot, observed: { ...seen, volumes } })
    await assert.rejects(refused, error => isFailure(error, 'conflict') && /stranger/.test(error.message))
  })
})

describe('dataWithNewImage()', () => {
  const shop = project([
    service('db', { mounts: [volumeMount('rows', '/rows')] }),
    service('web', { mounts: [volumeMount(undefined, '/cache')] }),
  ])
  const plan = new EnginePlan()
  for (const name of ['db', 'web'])
    plan.add({
      kind: 'create-container',
      cause: 'image changed',
      name: `shop-${name}-1`,
      service: name,
      createName: name,
      platform: undefined,
      body: { Image: 'busybox' },
      late: [],
    })

  test('names services with a named volume whose image is another', () => {
    const images = new Map([['busybox', image('sha256:2')]])
    assert.deepEqual(dataWithNewImage(plan, shop, { ...seen, images }), ['db'])
  })

  test('names none where the image stays, and none that is new', () => {
    assert.deepEqual(dataWithNewImage(plan, shop, seen), [])
    assert.deepEqual(dataWithNewImage(plan, shop, nothing({ images: new Map() })), [])
  })
})
