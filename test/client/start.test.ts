/** An engine that is started by the first call that finds nobody. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { imageEndpoints } from '../../src/api/images.ts'
import { networkEndpoints } from '../../src/api/networks.ts'
import { createClient } from '../../src/client/client.ts'

interface Absent {
  readonly host: string
  readonly seen: readonly string[]
  starts: number
  start(): Promise<void>
}

/** Nobody, until `start()`: then a server that answers everything with an empty list. */
function absent(t: { after(end: () => void): void }): Absent {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-client-'))
  const socket = join(folder, 'engine.sock')
  const seen: string[] = []
  let server: Server | undefined
  t.after(() => {
    server?.close()
    server?.closeAllConnections()
    rmSync(folder, { recursive: true })
  })
  return {
    host: `unix://${socket}`,
    seen,
    starts: 0,
    start() {
      this.starts++
      server = createServer(async (request, response) => {
        let length = 0
        for await (const piece of request) length += piece.length
        seen.push(`${request.method} ${request.url} ${length}`)
        response.end('[]')
      })
      const { promise, resolve } = Promise.withResolvers<void>()
      server.listen(socket, resolve)
      return promise
    },
  }
}

test('calls that find nobody start one engine together and are made again', async t => {
  const engine = absent(t)
  const client = createClient(engine.host, { version: '1.51', start: () => engine.start() })
  t.after(() => client.close())
  const list = () => client.call(networkEndpoints.networkList, {})
  assert.deepEqual(await Promise.all([list(), list(), list()]), [[], [], []])
  assert.equal(engine.starts, 1)
})

test('a body that can be read only once is not sent before the engine is there', async t => {
  const engine = absent(t)
  const client = createClient(engine.host, { version: '1.51', start: () => engine.start() })
  t.after(() => client.close())
  async function* body() {
    yield Buffer.from('one')
    yield Buffer.from('two')
  }
  await client.stream(imageEndpoints.imageLoad, { body: body() })
  assert.deepEqual(engine.seen, ['GET /_ping 0', 'POST /v1.51/images/load 6'])
})

test('an engine that cannot be started is why each call fails', async t => {
  const engine = absent(t)
  let starts = 0
  const start = async () => {
    starts++
    throw new Error('no room')
  }
  const client = createClient(engine.host, { version: '1.51', start })
  t.after(() => client.close())
  const calls = [client.call(networkEndpoints.networkList, {}), client.call(networkEndpoints.networkList, {})]
  for (const { status, reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[])
    assert.deepEqual([status, reason.message], ['rejected', 'no room'])
  assert.equal(starts, 1)
})

test('a call that is called off does not wait for an engine that answers nothing, not even its version', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-client-'))
  const asked = Promise.withResolvers<void>()
  const server = createServer(() => asked.resolve())
  server.listen(join(folder, 'engine.sock'))
  const client = createClient(`unix://${join(folder, 'engine.sock')}`)
  t.after(() => {
    client.close()
    server.close()
    server.closeAllConnections()
    rmSync(folder, { recursive: true })
  })
  const off = new AbortController()
  const call = client.call(networkEndpoints.networkList, {}, { signal: off.signal })
  await asked.promise
  off.abort()
  await assert.rejects(call, { kind: 'cancelled' })
})
