import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Failure } from '../../src/lib/failure.ts'
import { fakeClient, tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-volume-'))
after(() => rmSync(folder, { recursive: true }))
for (const value of ['before', 'after'])
  writeFileSync(
    join(folder, `${value}.yaml`),
    `name: shop\nservices:\n  web: {image: a, network_mode: none, volumes: ["data:/d"]}\nvolumes: {data: {labels: {is: ${value}}}}\n`,
  )

interface VolumeBody {
  readonly Name: string
  readonly Labels: Readonly<Record<string, string>>
}

const missing = () => {
  throw new Failure('not-found', 'nothing of that name')
}

/** An engine with these volumes and no container. */
function engine(volumes: readonly VolumeBody[]) {
  return fakeClient({
    info: () => ({ MemTotal: 1e9, NCPU: 2 }),
    containerList: () => [],
    networkList: () => [],
    volumeList: () => ({ Volumes: volumes.map(each => ({ Driver: 'local', Options: null, ...each })), Warnings: null }),
    volumeCreate: ({ body }: { body: VolumeBody }) => body,
    volumeRemove: () => undefined,
    containerInspect: missing,
    imageInspect: () => ({ Id: `sha256:${'a'.repeat(64)}`, RepoTags: ['a:latest'], RepoDigests: [], Config: {} }),
    containerCreate: () => ({ Id: 'c', Warnings: null }),
    containerStart: () => undefined,
  })
}

const question =
  'Volume "shop_data" exists but doesn\'t match configuration in compose file. Recreate (data will be lost)?'

async function up(volumes: readonly VolumeBody[], file: string, { stdin = '', options = [] as string[] } = {}) {
  const client = engine(volumes)
  const { code, stdout, stderr } = await tscompose(['-f', `${file}.yaml`, 'up', '-d', ...options], {
    client,
    cwd: folder,
    stdin,
  })
  assert.equal(code, 0, stderr)
  const made = client.asked
    .filter(({ name }) => name === 'volumeCreate')
    .map(({ input }) => input['body'] as VolumeBody)
  return { made, stdout, stderr, removed: client.asked.some(({ name }) => name === 'volumeRemove') }
}

describe('up with a volume that is not as the stack says', async () => {
  const { made: before } = await up([], 'before')

  test('asks on standard output whether to make it anew, and does so for a yes on standard input', async () => {
    for (const stdin of ['y\n', 'Yes\n']) {
      const { made, stdout, removed } = await up(before, 'after', { stdin })
      assert.deepEqual([stdout, removed, made.map(({ Labels }) => Labels['is'])], [question, true, ['after']])
    }
  })

  test('keeps it, and says so, for any other answer and for none', async () => {
    for (const stdin of ['n\n', '', 'what\ny\n']) {
      const { made, stdout, stderr, removed } = await up(before, 'after', { stdin })
      assert.deepEqual([stdout, removed, made], [question, false, []])
      assert.match(stderr, /Volume "data" is kept although/)
    }
  })

  test('asks nobody where the options answer, where nothing is done, and where it is as it was', async () => {
    for (const options of [['-y'], ['--recreate-volumes']]) {
      const { stdout, removed } = await up(before, 'after', { options })
      assert.deepEqual([stdout, removed], ['', true])
    }
    assert.equal((await up(before, 'after', { options: ['--dry-run'] })).stdout, '')
    assert.equal((await up(before, 'before')).stdout, '')
  })
})
