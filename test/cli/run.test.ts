import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Failure } from '../../src/lib/failure.ts'
import { fakeClient, tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-run-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'compose.yaml'), 'name: shop\nservices:\n  job: {image: a, network_mode: none}\n')

const id = 'c'.repeat(64)

/** An engine that makes containers and lets nobody attach. */
const engine = (removing: () => unknown = () => undefined) =>
  fakeClient({
    info: () => ({ MemTotal: 1e9, NCPU: 2 }),
    containerList: () => [],
    networkList: () => [],
    volumeList: () => ({ Volumes: [], Warnings: null }),
    imageInspect: () => ({ Id: `sha256:${'a'.repeat(64)}`, RepoTags: ['a:latest'], RepoDigests: [], Config: {} }),
    containerCreate: () => ({ Id: id, Warnings: [] }),
    containerAttach: () => {
      throw new Failure('internal', 'no more descriptors')
    },
    containerRemove: removing,
  })

const run = async (client: ReturnType<typeof engine>, ...options: string[]) => {
  const { code, stderr } = await tscompose(['run', ...options, '-T', 'job', 'true'], { client, cwd: folder })
  assert.equal(code, 1)
  assert.match(stderr, /no more descriptors/)
  return client.asked.filter(({ name }) => name === 'containerRemove').map(({ input }) => input)
}

test('run --rm leaves no container that it could not attach to', async () => {
  const [removed, ...more] = await run(engine(), '--rm', '--name', 'once')
  assert.deepEqual(removed, { params: { id: 'once' }, query: { force: true, v: true } })
  assert.deepEqual(more, [])
})

test('run --rm tells why it failed, also when the container cannot be removed', async () => {
  const client = engine(() => {
    throw new Failure('not-found', 'No such container: once')
  })
  assert.equal((await run(client, '--rm')).length, 1)
})

test('run keeps the container that it could not attach to, to be looked at', async () => {
  assert.deepEqual(await run(engine()), [])
})
