/** The command `plan` against an engine that lets nobody write, and its exit codes. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Endpoint } from '../../src/api/endpoint.ts'
import { run } from '../../src/apply/run.ts'
import type { Client } from '../../src/client/client.ts'
import { Failure } from '../../src/lib/failure.ts'
import { loadStack } from '../../src/stack/load.ts'
import { converge } from '../../src/targets/engine/converge.ts'
import { enginePerformer } from '../../src/targets/engine/perform/operations.ts'
import { tscompose } from '../cli/fake-client.ts'
import { FakeEngine } from './fake-engine.ts'

/** Everything but reading is refused, and counted. */
function readingOnly(client: Client): Client & { readonly refused: string[] } {
  const refused: string[] = []
  const guard =
    <A extends [Endpoint, ...unknown[]], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const [{ method, name }] = args
      if (method === 'GET' || method === 'HEAD') return await call(...args)
      refused.push(name)
      throw new Failure('denied', `${name} writes`)
    }
  const { host } = client
  return {
    refused,
    host,
    call: guard(client.call.bind(client) as never),
    stream: guard(client.stream.bind(client) as never),
    hijack: guard(client.hijack.bind(client) as never),
    version: () => client.version(),
    upgrade: () => Promise.reject(new Failure('denied', 'a connection of its own could write')),
    close() {},
  } as Client & { readonly refused: string[] }
}

const yaml = (tag: string, limit: string) =>
  `services: {web: {image: busybox, environment: {TAG: "${tag}"}}, db: {image: busybox, mem_limit: ${limit}, networks: [back]}}\nnetworks: {back: {}}\n`

describe('plan', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'plan-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  async function upAs(text: string, lists = true): Promise<FakeEngine> {
    const engine = new FakeEngine({ lists })
    engine.images.set('busybox', { id: 'sha256:1' })
    writeFileSync(join(folder, 'compose.yaml'), text)
    const { project } = await loadStack({ cwd: folder, environment: {}, projectName: 'shop' })
    const { client } = engine
    await converge({ client, project, options: {}, carryOut: plan => run(plan, enginePerformer(client)) })
    return engine
  }

  const plan = (client: Client, ...more: string[]) =>
    tscompose(['-p', 'shop', 'plan', ...more], { client, cwd: folder })

  for (const [engine, lists] of [
    ['an engine of ours', true],
    ['a Docker Engine', false],
  ] as const)
    test(`finds every difference on ${engine} with calls that read`, async () => {
      const { client, containers } = await upAs(yaml('1', '64m'), lists)
      for (const each of containers.values()) each.endpoints = {}
      writeFileSync(join(folder, 'compose.yaml'), yaml('2', '128m'))
      const guarded = readingOnly(client)
      for (const form of [[], ['--steps'], ['--json']]) {
        const { code, stdout, stderr } = await plan(guarded, ...form)
        assert.deepEqual([code, stderr], [0, ''])
        assert.match(stdout, /recreate|create-container/)
      }
      const { stdout } = await plan(guarded)
      assert.equal(
        stdout,
        '~ db: in place  mem_limit 64m→128m · networks.back +connected\n' +
          '~ web: recreate  environment.TAG 1→2 · networks.default +connected\n1 to recreate, 1 in place\n',
      )
      assert.deepEqual(guarded.refused, [])
    })

  test('--detailed-exitcode is 0 for nothing, 2 for something, 1 for an error', async () => {
    const { client } = await upAs(yaml('1', '64m'))
    const code = async (...more: string[]) => (await plan(client, '--detailed-exitcode', ...more)).code
    assert.equal(await code(), 0)
    writeFileSync(join(folder, 'compose.yaml'), yaml('1', '65m'))
    assert.equal(await code(), 2)
    assert.equal(await code('nope'), 1)
    assert.equal(await code('--nope'), 1)
    writeFileSync(join(folder, 'compose.yaml'), 'services: {web: {imag: x}}')
    assert.equal(await code(), 1)
  })
})
