/** The same stack built again: what is known to be the same is not looked at again, whatever else has changed is built. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'

const dockerfile = 'FROM busybox\nARG V=1\nCOPY a /a\nRUN cat /a > /b\nCMD echo hello\n'

describe('a stack that is built again', { skip: lacking(root(), program('busybox')) }, () => {
  let engine: TestEngine
  let folder: string
  before(async () => {
    engine = await TestEngine.start()
    folder = join(engine.folder, 'again')
    mkdirSync(folder)
    write('Dockerfile', dockerfile)
    write('a', 'one')
    write('compose.yaml', 'services:\n  app:\n    build: .\n    image: again:1\n')
  })
  after(() => engine.stop())

  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)

  /** Whether the engine was sent the files, which steps were made, and what was warned of. */
  const build = async (...args: readonly string[]) => {
    // so long that nothing may have changed without another time
    await pause(60)
    const { code, stdout, stderr } = await engine.tscompose(['build', ...args], { cwd: folder, timeout: 120_000 })
    const said = stdout + stderr
    assert.equal(code, 0, said)
    return {
      isAsked: said.includes('[internal] load build definition'),
      made: [...said.matchAll(/not cached: (.*)/g)].map(([, why]) => why!),
      cached: [...said.matchAll(/ CACHED$/gm)].length,
      warned: said.includes('JSONArgsRecommended'),
    }
  }

  test('is known by its receipt, and shown as it would be', async () => {
    assert.equal((await build()).isAsked, true)
    const again = await build()
    assert.deepEqual(again, { ...again, isAsked: false, made: [], cached: 3, warned: true })
  })

  test('is built when a file has changed, though its length and time are those of before', async () => {
    write('a', 'two')
    utimesSync(join(folder, 'a'), 1, 1)
    assert.deepEqual((await build()).made, ['a changed', 'the step before changed'])
    assert.equal((await build()).isAsked, false)
    write('a', 'six')
    utimesSync(join(folder, 'a'), 1, 1)
    const { isAsked } = await build()
    assert.equal(isAsked, true)
    chmodSync(join(folder, 'a'), 0o755)
    assert.equal((await build()).isAsked, true)
  })

  test('is built with another argument, and known again with that of before', async () => {
    await build()
    assert.deepEqual((await build('--build-arg', 'V=2')).made, ['ARG V: 1 → 2'])
    assert.equal((await build()).isAsked, false)
  })

  test('runs all of it anew where that is asked for', async () => {
    await build()
    assert.equal((await build('--no-cache')).made.length, 2)
  })

  test('is built when the image is gone', async () => {
    await build()
    assert.equal((await engine.tscompose(['down', '--rmi', 'all'], { cwd: folder })).code, 0)
    assert.equal((await build()).isAsked, true)
    assert.equal((await build()).isAsked, false)
  })

  test('is built when its base is another image by now', async () => {
    await build()
    const client = createClient(engine.host)
    const tag = (from: string, repo: string) =>
      client.call(endpoints.imageTag, { params: { name: from }, query: { repo, tag: 'latest' } })
    await tag('busybox', 'kept')
    await tag('again:1', 'busybox')
    const { isAsked, made } = await build()
    // its lowest layer is now there twice
    assert.deepEqual([isAsked, made], [true, ['base image changed', 'the step before changed']])
    await tag('kept', 'busybox')
    client.close()
  })
})
