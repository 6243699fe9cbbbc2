import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { isFailure } from '../../src/lib/failure.ts'
import { serving } from './serving.ts'

test('a server takes over the socket of one that was killed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tscompose-stale-'))
  const path = join(folder, 'engine.sock')
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  try {
    await once(spawn(process.execPath, ['-e', script]), 'exit')
    assert.ok((await stat(path)).isSocket())
    await using _on = await serving({}, { listeners: [{ kind: 'unix', path }] })
    const client = createClient(`unix://${path}`)
    assert.equal(await client.call(endpoints.ping, {}), 'OK')
    client.close()
    await writeFile(join(folder, 'precious'), 'not a socket')
    await assert.rejects(
      serving({}, { listeners: [{ kind: 'unix', path: join(folder, 'precious') }] }),
      /it exists and is no socket/,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('200 calls at once share a few connections, and all are answered', async () => {
  let open = 0
  let most = 0
  await using on = await serving({
    info: async () => {
      most = Math.max(most, ++open)
      await new Promise(resolve => setImmediate(resolve))
      open--
      return { ID: 'x' } as never
    },
  })
  await Promise.all(Array.from({ length: 200 }, () => on.client.call(endpoints.info, {})))
  assert.ok(most <= 64, `${most} at once`)
})

test('the socket is for root and its group only, from the first moment', async () => {
  await using on = await serving({})
  assert.equal((await stat(on.path)).mode & 0o777, 0o660)
})

test('a second server refuses a socket that someone listens on', async () => {
  await using on = await serving({})
  await assert.rejects(
    serving({}, { listeners: [{ kind: 'unix', path: on.path }] }),
    error => isFailure(error, 'conflict') && /listening there already/.test(error.message),
  )
  assert.equal(await on.client.call(endpoints.ping, {}), 'OK')
})
