import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { encodeFrame } from '../../src/api/frames.ts'
import { Failure, isFailure } from '../../src/lib/failure.ts'
import { eventually } from '../support/eventually.ts'
import { serving } from './serving.ts'
import { echo } from './session.ts'

const params = { id: 'x' }

test('hijack() carries both ways, and a half-close ends stdin while output goes on', async () => {
  const process = echo()
  await using on = await serving({ containerAttach: () => process.session })
  const attached = await on.client.hijack(endpoints.containerAttach, { params, query: { stream: true, stdin: true } })
  assert.equal(attached.tty, false)
  attached.socket.write('hello')
  const output = attached.output[Symbol.asyncIterator]()
  assert.equal(Buffer.from((await output.next()).value!.data).toString(), 'hello')
  attached.socket.end()
  assert.equal((await output.next()).value!.stream, 'stderr')
  assert.equal((await output.next()).done, true)
  assert.deepEqual(process.log.slice(0, 2), ['write hello', 'end'])
})

test('hijack(): a client that leaves is detached at the next output, and no more than its stdin is ended', async () => {
  const ended = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  let open = true
  const output = async function* () {
    await ended.promise
    // by now the client is gone: the first piece may still fit into the socket, none is an error of the process
    while (open) {
      yield { stream: 'stdout', data: Buffer.from('.') } as const
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  await using on = await serving({
    containerAttach: () => ({
      tty: true,
      output: output(),
      write: async () => {},
      end: () => ended.resolve(),
      close: () => {
        open = false
        closed.resolve()
      },
    }),
  })
  const attached = await on.client.hijack(endpoints.containerAttach, { params })
  assert.equal(attached.tty, true)
  attached.socket.destroy()
  await closed.promise
  assert.deepEqual(on.problems, [])
})

test('hijack(): the stdin of a client that leaves with output unread ends too', async () => {
  const process = echo()
  await using on = await serving({ containerAttach: () => process.session })
  const attached = await on.client.hijack(endpoints.containerAttach, { params, query: { stream: true, stdin: true } })
  attached.socket.on('error', () => undefined)
  attached.socket.pause()
  // more than the client's streams take in: the kernel resets a connection that is closed with something unread
  attached.socket.write(Buffer.alloc(4 << 20))
  await eventually('what comes back', () => attached.socket.readableLength > 0 && process.log.length > 3)
  await new Promise(resolve => setTimeout(resolve, 50))
  attached.socket.destroy()
  await eventually('that it is detached', () => process.log.includes('close'))
  assert.deepEqual(
    process.log.filter(line => !line.startsWith('write')),
    ['end', 'close'],
  )
})

test('hijack(): the 101 is literally what clients expect, for bytes sent with the request too', async () => {
  const process = echo()
  await using on = await serving({ containerAttach: () => process.session })
  const socket = on.dial()
  socket.end(
    'POST /v1.50/containers/x/attach?stdin=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\nearly',
  )
  const bytes = Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>))
  assert.equal(
    bytes.toString('latin1'),
    'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n' +
      'Api-Version: 1.51\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: tscompose/0.0.0-test (linux)\r\n\r\n' +
      encodeFrame('stdout', Buffer.from('early')).toString('latin1') +
      encodeFrame('stderr', Buffer.from('bye')).toString('latin1'),
  )
})

test('hijack(): the body of exec start is read, and what follows it is stdin', async () => {
  const process = echo(true)
  let seen: unknown
  await using on = await serving({
    execStart: ({ body }) => {
      seen = body
      return process.session
    },
  })
  const body = '{"Tty":true,"Detach":false}'
  const socket = on.dial()
  socket.write(
    `POST /exec/x/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
  )
  await new Promise(resolve => setImmediate(resolve))
  socket.end(`${body.slice(10)}in`)
  const answer = Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>)).toString()
  assert.match(answer, /raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n.*\r\n\r\ninbye$/s)
  assert.deepEqual(seen, { Tty: true, Detach: false })
})

test('exec start: detached it answers 200 and nothing, with or without an upgrade', async () => {
  await using on = await serving({ execStart: () => undefined })
  await on.client.call(endpoints.execStart, { params, body: { Detach: true } })
  const upgraded = await on.exchange(
    'POST /exec/x/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"Detach":true}',
  )
  assert.match(upgraded, /^HTTP\/1\.1 200 OK\r\nContent-Length: 0\r\n/)
})

test('attach without an upgrade answers 200 with frames until the output ends', async () => {
  const output = async function* () {
    yield { stream: 'stderr', data: Buffer.from('oops') } as const
  }
  await using on = await serving({
    containerAttach: () => ({ tty: false, output: output(), write: async () => {}, end() {}, close() {} }),
  })
  const answer = await on.exchange(
    'POST /containers/x/attach?stderr=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
  )
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n.*Content-Type: application\/vnd\.docker\.raw-stream\r\n/s)
  assert.ok(answer.endsWith(`\r\n\r\n${encodeFrame('stderr', Buffer.from('oops')).toString('latin1')}`))
})

test('attach that fails answers in plain text, exec start in JSON; hijack() tells both by kind', async () => {
  await using on = await serving({
    containerAttach: () => {
      throw new Failure('not-found', 'No such container: x')
    },
    execStart: () => {
      throw new Failure('conflict', 'container x is not running')
    },
  })
  const raw = await on.exchange(
    'POST /containers/x/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
  )
  assert.match(
    raw,
    /^HTTP\/1\.1 404 Not Found\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n.*\r\n\r\nNo such container: x\r\n$/s,
  )
  await assert.rejects(
    on.client.hijack(endpoints.containerAttach, { params }),
    error => isFailure(error, 'not-found') && error.message === 'No such container: x',
  )
  await assert.rejects(on.client.hijack(endpoints.execStart, { params, body: {} }), error =>
    isFailure(error, 'conflict'),
  )
})

test('a connection that is refused to a client is closed when that has left, and soon in any case', async () => {
  await using on = await serving({
    containerAttach: () => {
      throw new Failure('not-found', 'No such container: x')
    },
  })
  const descriptors = () => readdirSync('/proc/self/fd').length
  const before = descriptors()
  const [leaving, staying] = [on.dial(), on.dial()]
  for (const socket of [leaving, staying])
    socket.write('POST /containers/x/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
  leaving.end()
  await Promise.all([leaving, staying].map(socket => once(socket, 'data')))
  leaving.destroy()
  await eventually('the one that left', () => descriptors() === before + 2)
  await eventually('the one that stays', () => descriptors() === before + 1)
  staying.destroy()
})

test('an upgrade where there is nothing to take over is answered as if it had not been asked', async () => {
  await using on = await serving({ info: () => ({ ID: 'x' }) as never })
  for (const protocol of ['tcp', 'h2c', 'websocket'])
    assert.match(
      await on.exchange(`GET /info HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`),
      /^HTTP\/1\.1 200 OK\r\n.*\{"ID":"x"\}\n$/s,
    )
})

test('hijack(): nothing begins before the client has read its 101', async () => {
  let unread = 1
  let begun = false
  const looked = Promise.withResolvers<void>()
  await using on = await serving(
    {
      execStart: () => ({
        tty: true,
        output: (async function* () {
          yield { stream: 'stdout', data: Buffer.from('out') } as const
        })(),
        begin: async () => {
          begun = true
        },
        write: async () => {},
        end() {},
        close() {},
      }),
    },
    {
      unread: () => {
        looked.resolve()
        return unread
      },
    },
  )
  const socket = on.dial()
  socket.write('POST /exec/x/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
  await looked.promise
  const [first] = await once(socket, 'data')
  assert.match(String(first), /^HTTP\/1\.1 101 UPGRADED\r\n.*\r\n\r\n$/s)
  assert.equal(begun, false)
  unread = 0
  const [second] = await once(socket, 'data')
  assert.deepEqual([String(second), begun], ['out', true])
})

test('a client that does not read holds the process back a while, then is cut off and told', async () => {
  let produced = 0
  const closed = Promise.withResolvers<void>()
  const output = async function* () {
    for (;;) {
      produced += 65536
      yield { stream: 'stdout', data: Buffer.alloc(65536) } as const
    }
  }
  await using on = await serving({
    containerAttach: () => ({
      tty: false,
      output: output(),
      write: async () => {},
      end() {},
      close: () => closed.resolve(),
    }),
  })
  const socket = on.dial()
  socket.pause()
  socket.write('POST /containers/x/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
  await closed.promise
  assert.ok(produced < 20 * 1024 * 1024, `${produced} bytes`)
  const all = Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>))
  assert.ok(all.length > produced, 'what was held for it is not lost')
  assert.match(
    all.subarray(-200).toString('latin1'),
    /\x03\0\0\0\0\0\0.the rest of the output is not shown: nobody read it/s,
  )
  assert.deepEqual(on.problems, [
    'POST /containers/x/attach: the client is cut off: it has read nothing for 3 seconds while the process waited for it',
  ])
})

test('close() ends the connections that were handed over', async () => {
  const process = echo()
  const on = await serving({ containerAttach: () => process.session })
  const attached = await on.client.hijack(endpoints.containerAttach, { params, query: { stream: true } })
  attached.socket.on('error', () => undefined)
  await on[Symbol.asyncDispose]()
  assert.deepEqual(process.log, ['close'])
})

test('a thousand clients that connect at once are all let in', async () => {
  await using on = await serving({})
  const sockets = Array.from({ length: 1000 }, () => on.dial())
  await Promise.all(sockets.map(socket => once(socket, 'connect')))
  for (const socket of sockets) socket.destroy()
})

test('what takes over the connection is refused to whoever does not ask for it, or asks for another protocol', async () => {
  const taken: string[] = []
  const take = (name: string) => () => {
    taken.push(name)
    return async () => {}
  }
  await using on = await serving({ session: take('session'), grpc: take('grpc') })
  for (const path of ['/session', '/grpc'])
    for (const [headers, message] of [
      ['Connection: close\r\n', 'no upgrade proto in request'],
      ['Connection: Upgrade, close\r\nUpgrade: tcp\r\n', 'protocol tcp not supported'],
    ] as const) {
      const answer = await on.exchange(`POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: 0\r\n\r\n`)
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      assert.deepEqual([path, head.split(' ')[1], JSON.parse(body).message], [path, '400', message])
    }
  assert.deepEqual(taken, [])
})

test('a connection is taken over by "Upgrade" alone, without a body, and what follows is not read as HTTP', async () => {
  const serve = () => async (connection: Duplex) => {
    for await (const chunk of connection) connection.write(`<${chunk}>`)
    connection.end('bye')
  }
  await using on = await serving({ session: serve })
  const socket = on.dial()
  let heard = ''
  socket.on('data', chunk => {
    heard += chunk
  })
  const hears = (text: string) => eventually(text, async () => heard.endsWith(text))
  socket.write('POST /session HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n')
  await hears('\r\n\r\n')
  assert.match(heard, /^HTTP\/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n/)
  socket.write('PRI * HTTP/2.0\r\n\r\n')
  await hears('<PRI * HTTP/2.0\r\n\r\n>')
  socket.write('GET /_ping HTTP/1.1\r\n\r\n')
  await hears('<GET /_ping HTTP/1.1\r\n\r\n>')
  socket.end()
  await hears('bye')
  const answer = await on.exchange(
    'POST /session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}',
  )
  assert.match(answer, /^HTTP\/1.1 400 .*a request with a body should say/s)
})
