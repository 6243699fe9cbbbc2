import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fakeClient, tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-resources-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'compose.yaml'), 'name: shop\nvolumes: {data: {}}\nnetworks: {inside: {}}\n')

const engine = () =>
  fakeClient({
    info: () => ({ MemTotal: 1e9, NCPU: 2 }),
    containerList: () => [],
    networkList: () => [],
    networkCreate: () => ({ Id: 'n', Warning: '' }),
    volumeList: () => ({ Volumes: [], Warnings: null }),
    volumeCreate: ({ body }: { body: object }) => body,
  })

test('up --all-resources makes networks and volumes without any service', async () => {
  const { code, stderr } = await tscompose(['--all-resources', 'up', '-d'], { client: engine(), cwd: folder })
  assert.equal(code, 0, stderr)
  assert.match(stderr, /^ Volume shop_data {2}Created$/m)
  assert.match(stderr, /^ Network shop_inside {2}Created$/m)
})

test('up without --all-resources and without services is refused', async () => {
  const { code, stderr } = await tscompose(['up', '-d'], { client: engine(), cwd: folder })
  assert.equal(code, 1)
  assert.match(stderr, /no service selected/)
})
