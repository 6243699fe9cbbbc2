import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Progress } from '../../src/api/json-lines.ts'
import { each, fakeClient, tscompose } from './fake-client.ts'

const stack = `name: shop
services:
  a: {image: "127.0.0.1:5000/a:1", build: {context: ., tags: ["127.0.0.1:5000/a:latest"]}, depends_on: [b]}
  b: {image: "127.0.0.1:5000/b", build: .}
  c: {image: busybox}
  d: {build: .}
`

/** Runs `push` with this stack; what the engine was asked to push, sorted, and what was said. */
async function push(args: readonly string[], answer: (name: string) => Progress) {
  const client = fakeClient({ imagePush: ({ params }: { params: { name: string } }) => each(answer(params.name)) })
  const said = await tscompose(['-f', '-', 'push', ...args], { client, stdin: stack })
  const asked = client.asked.map(({ input }) => {
    const { params, query } = input as { params: { name: string }; query: { tag: string } }
    return `${params.name}:${query.tag}`
  })
  return { ...said, asked: asked.sort() }
}

const done = (): Progress => ({ aux: { Digest: 'sha256:1' } })

test('push sends image and tags of what is built, and leaves out the rest', async () => {
  const { code, asked, stderr } = await push([], done)
  assert.equal(code, 0, stderr)
  assert.deepEqual(asked, ['127.0.0.1:5000/a:1', '127.0.0.1:5000/a:latest', '127.0.0.1:5000/b:latest'])
  for (const line of [' c Skipped', ' d Skipped', ' 127.0.0.1:5000/a:1 Pushed'])
    assert.ok(stderr.split('\n').includes(line), stderr)
})

test('push SERVICE sends that one alone, with --include-deps what it depends on too', async () => {
  assert.equal((await push(['a'], done)).asked.length, 2)
  assert.equal((await push(['--include-deps', 'a'], done)).asked.length, 3)
  assert.equal((await push(['-q', 'a'], done)).stderr, '')
})

test('push ends with what the registry says, or goes on with --ignore-push-failures', async () => {
  const answer = (name: string): Progress =>
    name.endsWith('/b') ? { error: 'denied: requested access to the resource is denied' } : done()
  const failed = await push([], answer)
  assert.equal(failed.code, 1)
  assert.match(failed.stderr, /denied: requested access to the resource is denied/)
  const warned = await push(['--ignore-push-failures'], answer)
  assert.equal(warned.code, 0, warned.stderr)
  assert.match(warned.stderr, /Pushing 127\.0\.0\.1:5000\/b: denied/)
})

test('push of a service that the stack does not have is an error', async () => {
  const { code, stderr } = await push(['nope'], done)
  assert.equal(code, 1)
  assert.match(stderr, /no such service: nope/)
})
