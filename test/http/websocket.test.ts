import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { eventually } from '../support/eventually.ts'
import { get, serving } from './serving.ts'
import { echo } from './session.ts'

const path = '/v1.51/containers/web/attach/ws?stream=1&stdin=1&stdout=1&stderr=1'

/** What comes until the connection is closed, all of it in binary messages. */
function received(socket: WebSocket) {
  const all = { text: '' }
  socket.on('message', (data: Buffer, isBinary) => {
    assert.ok(isBinary)
    all.text += String(data)
  })
  return all
}

test('attach by WebSocket carries bytes both ways, of both streams and without frames', async () => {
  const process = echo()
  const asked: unknown[] = []
  await using on = await serving({
    containerAttachWebSocket: request => {
      asked.push([request.params, request.query])
      return process.session
    },
  })
  const socket = new WebSocket(`ws+unix:${on.path}:${path}`)
  const all = received(socket)
  await once(socket, 'open')
  socket.send('hello')
  socket.send(Buffer.from('again'))
  await eventually('both come back', () => all.text === 'helloagain')
  process.session.end()
  await once(socket, 'close')
  assert.equal(all.text, 'helloagainbye')
  assert.deepEqual(asked, [[{ id: 'web' }, { stream: true, stdin: true, stdout: true, stderr: true }]])
  const written = process.log.flatMap(line => (line.startsWith('write ') ? line.slice('write '.length) : []))
  assert.equal(written.join(''), 'helloagain')
})

test('a WebSocket that is closed ends stdin and leaves the process', async () => {
  const process = echo()
  await using on = await serving({ containerAttachWebSocket: () => process.session })
  const socket = new WebSocket(`ws+unix:${on.path}:${path}`)
  await once(socket, 'open')
  socket.close()
  await eventually('the session is closed', () => process.log.includes('close'))
})

test('what asks for no WebSocket, or asks for it wrongly, is refused before anything is attached', async () => {
  const process = echo()
  await using on = await serving({ containerAttachWebSocket: () => process.session })
  const plain = await on.exchange(get(path))
  assert.match(plain, /^HTTP\/1\.1 400 .*by a WebSocket alone/s)
  assert.deepEqual(process.log, [])
  const keyless = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n'
  assert.match(await on.exchange(`GET ${path} HTTP/1.1\r\n${keyless}`), /^HTTP\/1\.1 400 /)
  await eventually('the session is closed', () => process.log.includes('close'))
})
