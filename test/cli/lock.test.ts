import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { withLock } from '../../src/cli/lock-file.ts'
import { Failure } from '../../src/lib/failure.ts'
import { loadStack } from '../../src/stack/load.ts'
import { fakeClient, tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-lock-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'compose.lock')
const digest = (letter: string) => `sha256:${letter.repeat(64)}`
const env = { DOCKER_CONFIG: folder }

beforeEach(() => {
  rmSync(file, { force: true })
  writeFileSync(
    join(folder, 'compose.yaml'),
    `name: shop
services:
  web: {image: "r.test/web:1"}
  db: {image: "r.test/db"}
  pinned: {image: "r.test/pinned@${digest('f')}"}
  own: {image: "r.test/own", build: .}
`,
  )
})

/** A registry whose tags mean digests of this letter. */
function registry(letter: string) {
  return fakeClient({
    distributionInspect: () => ({ Descriptor: { digest: digest(letter) }, Platforms: [] }),
  })
}

const lock = (letter: string, ...args: readonly string[]) =>
  tscompose(['lock', ...args], { client: registry(letter), cwd: folder, env })
const locked = () => JSON.parse(readFileSync(file, 'utf8')).images

test('lock writes the digests of what is neither built nor pinned, and keeps them the next time', async () => {
  assert.equal((await lock('a')).code, 0)
  assert.deepEqual(locked(), { 'r.test/db': digest('a'), 'r.test/web:1': digest('a') })
  const before = readFileSync(file, 'utf8')
  const said = await lock('b')
  assert.equal(said.stderr, '')
  assert.equal(readFileSync(file, 'utf8'), before)
})

test('lock --update SERVICE asks anew for that one, --all for all, and says what changed', async () => {
  await lock('a')
  const said = await lock('b', '--update', 'web')
  assert.equal(said.stderr, ` r.test/web:1 ${digest('a')} → ${digest('b')}\n`)
  assert.deepEqual(locked(), { 'r.test/db': digest('a'), 'r.test/web:1': digest('b') })
  await lock('c', '--all')
  assert.deepEqual(new Set(Object.values(locked())), new Set([digest('c')]))
  assert.match((await lock('d', '--update', 'nope')).stderr, /no such service: nope/)
  assert.match((await lock('d', '--update', 'own')).stderr, /Cannot lock the image of service "own"/)
})

test('plan and pull use the lock, say so, and warn of what it does not have', async () => {
  writeFileSync(file, JSON.stringify({ version: 1, images: { 'r.test/web:1': digest('a') } }))
  const client = fakeClient({
    containerList: () => [],
    networkList: () => [],
    volumeList: () => ({ Volumes: [], Warnings: null }),
    info: () => ({}),
    version: () => ({ ApiVersion: '1.51', Components: [] }),
    imageInspect: () => {
      throw new Failure('not-found', 'No such image')
    },
  })
  const said = await tscompose(['--dry-run', 'pull', 'web', 'db'], { client, cwd: folder, env })
  assert.equal(said.code, 0, said.stderr)
  assert.match(said.stderr, new RegExp(`r\\.test/web:1@${digest('a')}.*asked for, locked by compose\\.lock`))
  assert.match(said.stderr, /compose\.lock does not have "r\.test\/db": run "tscompose lock"/)
})

test('lock takes in the images of pre_start containers, but for those that the stack builds; the model has them pinned', async () => {
  writeFileSync(
    join(folder, 'compose.yaml'),
    `name: shop
services:
  web: {image: "r.test/web:1", pre_start: [{command: [a], image: "r.test/tool"}, {command: [b], image: "r.test/own"}, {command: [c]}]}
  own: {image: "r.test/own", build: ., pre_start: [{command: [d], image: "r.test/web:1"}]}
`,
  )
  assert.equal((await lock('a')).code, 0)
  assert.deepEqual(locked(), { 'r.test/tool': digest('a'), 'r.test/web:1': digest('a') })
  const said = await lock('b', '--update', 'own')
  assert.equal(said.stderr, ` r.test/web:1 ${digest('a')} → ${digest('b')}\n`)
  const { loaded, missing } = await withLock(await loadStack({ cwd: folder, environment: {} }))
  const images = Object.values(loaded.project.services).map(({ image, preStart }) => [
    image,
    preStart.map(hook => hook.image),
  ])
  const web = `r.test/web:1@${digest('b')}`
  assert.deepEqual(images, [
    [web, [`r.test/tool@${digest('a')}`, 'r.test/own', undefined]],
    ['r.test/own', [web]],
  ])
  assert.deepEqual(missing, [])
})

test('a lock that cannot be read is named', async () => {
  for (const [content, text] of [
    ['{', /it is not JSON/],
    ['{"version":2}', /its version is 2, 1 is known/],
    ['{"version":1,"images":{"a":"sha256:x"}}', /the digest of "a" is none/],
  ] as const) {
    writeFileSync(file, content)
    const said = await tscompose(['pull'], { client: registry('a'), cwd: folder, env })
    assert.equal(said.code, 1)
    assert.match(said.stderr, text)
  }
})
