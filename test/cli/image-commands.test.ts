import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { each, fakeClient, tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-image-'))
after(() => rmSync(folder, { recursive: true }))
const given = { cwd: folder, env: { DOCKER_CONFIG: folder } }

describe('image', () => {
  test('pull and push ask for the tag that is meant, latest without one', async () => {
    const client = fakeClient({
      imageCreate: () => each({ status: 'Status: Downloaded newer image for r.test:5000/a:latest' }),
      imagePush: () => each({ status: '1: digest: sha256:0 size: 1' }, { aux: { Tag: '1' } }),
    })
    const pulled = await tscompose(['image', 'pull', 'r.test:5000/a'], { ...given, client })
    assert.equal(pulled.stdout, 'Status: Downloaded newer image for r.test:5000/a:latest\n')
    const pushed = await tscompose(['image', 'push', 'r.test:5000/a:1'], { ...given, client })
    assert.equal(pushed.stdout, '1: digest: sha256:0 size: 1\n')
    await tscompose(['image', 'push', '-a', 'r.test:5000/a'], { ...given, client })
    const queries = client.asked.map(({ input }) => input['query'] as { fromImage?: string; tag: string })
    assert.deepEqual(
      queries.map(({ tag }) => tag),
      ['latest', '1', ''],
    )
    assert.equal(queries[0]!.fromImage, 'r.test:5000/a')
    assert.match((await tscompose(['image', 'push', '-a', 'a:1'], { ...given, client })).stderr, /can't be used with/)
  })

  test('push and pull end with what is told among the lines', async () => {
    const client = fakeClient({ imagePush: () => each({ error: 'tag does not exist: a:1' }) })
    const said = await tscompose(['image', 'push', 'a:1'], { ...given, client })
    assert.equal(said.code, 1)
    assert.match(said.stderr, /tag does not exist: a:1/)
  })

  test('save -o writes the archive whole, or nothing', async () => {
    const client = fakeClient({ imagesGet: () => ({ content: each(Buffer.from('ab'), Buffer.from('c')) }) })
    assert.equal((await tscompose(['image', 'save', '-o', 'x.tar', 'a', 'b'], { ...given, client })).code, 0)
    assert.equal(readFileSync(join(folder, 'x.tar'), 'utf8'), 'abc')
    const broken = fakeClient({
      imagesGet: () => ({
        content: (async function* () {
          yield Buffer.from('a')
          throw new Error('broken')
        })(),
      }),
    })
    await tscompose(['image', 'save', '-o', 'y.tar', 'a'], { ...given, client: broken })
    assert.deepEqual(readdirSync(folder), ['x.tar'])
  })

  test('tag, history and prune', async () => {
    const client = fakeClient({
      imageTag: () => undefined,
      imageHistory: () => [
        { Id: 'sha256:0123456789abcdef', Created: 0, CreatedBy: 'x'.repeat(80), Tags: null, Size: 1500, Comment: '' },
      ],
      imagePrune: () => ({ ImagesDeleted: [{ Untagged: 'a:1' }, { Deleted: 'sha256:0' }], SpaceReclaimed: 2_000_000 }),
    })
    const run = (...args: readonly string[]) => tscompose(['image', ...args], { ...given, client })
    await run('tag', 'a', 'r.test:5000/b')
    assert.deepEqual(client.asked[0]!.input, { params: { name: 'a' }, query: { repo: 'r.test:5000/b', tag: 'latest' } })
    assert.match((await run('history', 'a')).stdout, /0123456789ab .* x{44}… +1\.5kB/)
    const pruned = await run('prune', '-a', '--filter', 'until=24h', '--filter', 'label!=keep')
    assert.equal(pruned.stdout, 'Untagged: a:1\nDeleted: sha256:0\nReclaimed: 2MB\n')
    const filters = { dangling: ['false'], until: ['24h'], 'label!': ['keep'] }
    assert.deepEqual(client.asked.at(-1)!.input['query'], { filters })
    assert.match((await run('prune', '--filter', 'x=1')).stderr, /Cannot use filter "x=1"/)
  })
})

test('df tells what each project takes, what belongs to none last', async () => {
  const labels = { 'com.docker.compose.project': 'shop' }
  const client = fakeClient({
    diskUsage: () => ({
      LayersSize: 0,
      Images: [
        { Id: 'i1', Size: 3000, Labels: null },
        { Id: 'i2', Size: 500, Labels: null },
      ],
      Containers: [
        { Labels: labels, ImageID: 'i1', SizeRw: 10 },
        { Labels: labels, ImageID: 'i1', SizeRw: 20 },
      ],
      Volumes: [{ Name: 'v', Labels: labels, UsageData: { Size: 7000, RefCount: 1 } }],
      BuildCache: [],
    }),
  })
  const { stdout } = await tscompose(['df', '--format', 'json'], { ...given, client })
  assert.deepEqual(JSON.parse(stdout), [
    { Project: 'shop', Containers: 2, ContainersSize: 30, Images: 1, ImagesSize: 3000, Volumes: 1, VolumesSize: 7000 },
    { Project: '', Containers: 0, ContainersSize: 0, Images: 1, ImagesSize: 500, Volumes: 0, VolumesSize: 0 },
  ])
})
