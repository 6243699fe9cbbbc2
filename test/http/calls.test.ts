import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { encodeFrame } from '../../src/api/frames.ts'
import { createClient } from '../../src/client/client.ts'
import { Failure, isFailure } from '../../src/lib/failure.ts'
import { get, serving } from './serving.ts'

const signalOf = (ms: number) => AbortSignal.timeout(ms)

test('call() brings query, body and reply across as the handler and the caller see them', async () => {
  const seen: unknown[] = []
  await using on = await serving({
    containerCreate: ({ query, body }, { version }) => {
      seen.push(query, body, version)
      return { Id: 'abc', Warnings: [] }
    },
    containerLogs: ({ query }) => {
      seen.push(query)
      return { tty: false, output: (async function* () {})() }
    },
  })
  const created = await on.client.call(endpoints.containerCreate, {
    query: { name: 'web' },
    body: { Image: 'busybox', HostConfig: { Memory: 64 } },
  })
  assert.deepEqual(created, { Id: 'abc', Warnings: [] })
  assert.equal((seen[0] as { name: string }).name, 'web')
  assert.equal((seen[1] as { HostConfig: { Memory: number } }).HostConfig.Memory, 64)
  assert.equal(seen[2], '1.51')
  const since = 1_700_000_000_123_456_789n
  await Array.fromAsync(
    await on.client.stream(endpoints.containerLogs, {
      params: { id: 'x' },
      query: { since, follow: false, tail: '5' },
    }),
  )
  assert.deepEqual({ ...(seen[3] as object) }, { since, follow: false, tail: '5' })
})

test('call() throws the failure that the handler threw, by kind, with hint and exit code', async () => {
  await using on = await serving({
    containerStart: async ({ params }) => {
      if (params.id === 'same') throw new Failure('not-modified', 'already started')
      if (params.id === 'bad') throw new Failure('invalid', 'exec: "/x": no such file or directory', { exitCode: 127 })
      throw new Failure('not-found', `No such container: ${params.id}`, { hint: 'List them' })
    },
  })
  const start = (id: string) => on.client.call(endpoints.containerStart, { params: { id } })
  assert.equal(await start('same'), undefined)
  await assert.rejects(start('bad'), error => isFailure(error, 'invalid') && error.exitCode === 127)
  await assert.rejects(
    start('web'),
    error => isFailure(error, 'not-found') && error.message === 'No such container: web' && error.hint === 'List them',
  )
})

test('a defect in a handler is a 500 and a line in the log', async () => {
  await using on = await serving({
    info: () => {
      throw new TypeError('a defect')
    },
  })
  await assert.rejects(on.client.call(endpoints.info, {}), error => isFailure(error, 'internal'))
  assert.match(on.problems[0] ?? '', /GET \/v1.51\/info: TypeError: a defect/)
})

test('members of a body are read in any case, as Go reads them; the exact name wins', async () => {
  const bodies: unknown[] = []
  await using on = await serving({
    execCreate: ({ body }) => {
      bodies.push([body.Cmd, body.DetachKeys])
      return { Id: 'x' }
    },
  })
  for (const body of [
    '{"cmd":["a"],"detachKeys":"ctrl-x"}',
    '{"DetachKeys":"ctrl-y","detachkeys":"ctrl-z","Cmd":["b"]}',
  ])
    await on.exchange(
      `POST /containers/x/exec HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
  assert.deepEqual(bodies, [
    [['a'], 'ctrl-x'],
    [['b'], 'ctrl-y'],
  ])
})

test('an endpoint that is not served answers 501 and names itself', async () => {
  await using on = await serving({})
  await assert.rejects(
    on.client.call(endpoints.swarmInspect, {}),
    error => isFailure(error, 'unsupported') && error.message === 'GET /swarm is not implemented yet',
  )
  assert.match(
    await on.exchange('POST /build HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'),
    /501 .*POST \/build is not implemented yet/s,
  )
})

test('names with slashes reach images whole', async () => {
  const names: string[] = []
  await using on = await serving({
    imageTag: async ({ params }) => {
      names.push(params.name)
    },
  })
  await on.client.call(endpoints.imageTag, { params: { name: '127.0.0.1:5000/a/b:1' }, query: { repo: 'x' } })
  await on.client.call(endpoints.imageTag, { params: { name: 'tag/tag' }, query: { repo: 'x' } })
  assert.deepEqual(names, ['127.0.0.1:5000/a/b:1', 'tag/tag'])
})

test('stream() resolves with the headers, long before the one line of wait', async () => {
  const exited = Promise.withResolvers<number>()
  await using on = await serving({
    containerWait: async function* () {
      yield { StatusCode: await exited.promise }
    },
  })
  const lines = await on.client.stream(endpoints.containerWait, { params: { id: 'x' } })
  exited.resolve(3)
  assert.deepEqual(await Array.fromAsync(lines), [{ StatusCode: 3 }])
})

test('leaving a stream tells the handler by its signal', async () => {
  const left = Promise.withResolvers<void>()
  await using on = await serving({
    containerLogs: (_, { signal }) => {
      signal.addEventListener('abort', () => left.resolve())
      const output = async function* () {
        yield [{ stream: 'stderr', data: Buffer.from('first') } as const]
        await left.promise
      }
      return { tty: false, output: output() }
    },
  })
  for await (const { stream, data } of await on.client.stream(endpoints.containerLogs, { params: { id: 'x' } })) {
    assert.equal(stream, 'stderr')
    assert.equal(Buffer.from(data).toString(), 'first')
    break
  }
  await left.promise
})

test('an aborted call is a failure of kind cancelled, before and after the headers', async () => {
  await using on = await serving({
    info: () => new Promise(() => {}),
    containerWait: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
  })
  const cancelled = (error: unknown) => isFailure(error, 'cancelled')
  await assert.rejects(on.client.call(endpoints.info, {}, { signal: signalOf(20) }), cancelled)
  const lines = await on.client.stream(endpoints.containerWait, { params: { id: 'x' } }, { signal: signalOf(60) })
  await assert.rejects(Array.fromAsync(lines), cancelled)
})

test('a stream that fails half-way does not pass for a whole one', async () => {
  await using on = await serving({
    containerExport: () => ({
      content: (async function* () {
        yield Buffer.from('part')
        throw new Failure('internal', 'the disk is gone')
      })(),
    }),
  })
  const read = async () => {
    const { content } = await on.client.stream(endpoints.containerExport, { params: { id: 'x' } })
    return Array.fromAsync(content)
  }
  await assert.rejects(read(), error => isFailure(error, 'unavailable'))
})

test('progress: a failure before the first line is a status, one after it a line', async () => {
  await using on = await serving({
    imageCreate: ({ query }) =>
      (async function* () {
        if (query.fromImage === 'late') yield { status: 'Pulling' }
        throw new Failure('not-found', 'manifest unknown')
      })(),
  })
  const pull = (fromImage: string) => on.client.stream(endpoints.imageCreate, { query: { fromImage } })
  await assert.rejects(pull('early'), error => isFailure(error, 'not-found'))
  assert.deepEqual(await Array.fromAsync(await pull('late')), [
    { status: 'Pulling' },
    { errorDetail: { message: 'manifest unknown' }, error: 'manifest unknown' },
  ])
  const raw = await on.exchange(
    'POST /images/create?fromImage=late HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  )
  assert.match(raw, /\{"status":"Pulling"\}\r\n/)
})

test('archives go both ways, with the stat in a header', async () => {
  const info = { name: 'etc', size: 1, mode: 0o755, mtime: '2026-01-01T00:00:00Z', linkTarget: 'é' }
  const got: Uint8Array[] = []
  await using on = await serving({
    containerArchiveStat: () => info,
    containerArchiveGet: () => ({
      stat: info,
      content: (async function* () {
        yield Buffer.alloc(100_000, 1)
        yield Buffer.alloc(100_000, 2)
      })(),
    }),
    containerArchivePut: async ({ body }) => {
      for await (const piece of body) got.push(piece)
    },
  })
  const params = { id: 'x' }
  const query = { path: '/etc' }
  assert.deepEqual(await on.client.call(endpoints.containerArchiveStat, { params, query }), info)
  const archive = await on.client.stream(endpoints.containerArchiveGet, { params, query })
  assert.deepEqual(archive.stat, info)
  const pieces = await Array.fromAsync(archive.content)
  assert.equal(Buffer.concat(pieces).length, 200_000)
  await on.client.call(endpoints.containerArchivePut, {
    params,
    query,
    body: (async function* () {
      yield Buffer.from('ab')
      yield Buffer.from('cd')
    })(),
  })
  assert.equal(Buffer.concat(got).toString(), 'abcd')
})

test('a refusal while the body is still being sent is what the caller sees, and the sending ends', async () => {
  await using on = await serving({
    imageLoad: async function* ({ body }) {
      for await (const _ of body) throw new Failure('invalid', 'this is no archive')
      yield {}
    },
  })
  const sent = Promise.withResolvers<void>()
  const endless = async function* () {
    try {
      for (;;) yield Buffer.alloc(65536)
    } finally {
      sent.resolve()
    }
  }
  await assert.rejects(
    on.client.stream(endpoints.imageLoad, { body: endless() }),
    error => isFailure(error, 'invalid') && error.message === 'this is no archive',
  )
  await sent.promise
})

test('the refusal of a short body waits for it, so that who closes afterwards has been heard out; one that does not come is refused too', async () => {
  await using on = await serving({ containerCreate: () => ({}) as never })
  const head =
    'POST /containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n'
  const socket = on.dial()
  let answer = ''
  socket.on('data', piece => (answer += piece))
  socket.write(head)
  // the server has read the head when it answers another
  await on.client.call(endpoints.ping, {})
  assert.equal(answer, '')
  socket.write('{}')
  await once(socket, 'end')
  assert.match(answer, /^HTTP\/1\.1 400 .*unsupported Content-Type/s)
  socket.destroy()
  assert.match(await on.exchange(head), /^HTTP\/1\.1 400 /)
  // a length that is not told may be short
  const pieces = on.dial()
  let late = ''
  pieces.on('data', piece => (late += piece))
  pieces.write(head.replace('Content-Length: 2', 'Transfer-Encoding: chunked'))
  await on.client.call(endpoints.ping, {})
  assert.equal(late, '')
  pieces.write('2\r\n{}\r\n0\r\n\r\n')
  await once(pieces, 'end')
  assert.match(late, /^HTTP\/1\.1 400 .*unsupported Content-Type/s)
  pieces.destroy()
})

test('every answer carries the headers that clients read', async () => {
  await using on = await serving({})
  const ping = await on.exchange(get('/_ping'))
  for (const header of [
    'Api-Version: 1.51',
    'Docker-Experimental: false',
    'Ostype: linux',
    'Swarm: inactive',
    'Content-Length: 2',
  ])
    assert.ok(ping.includes(`${header}\r\n`), header)
  assert.match(
    await on.exchange(get('/v1.40/_ping', 'HEAD')),
    /^HTTP\/1\.1 200 OK\r\n.*Content-Length: 0\r\n.*\r\n\r\n$/s,
  )
  const missing = await on.exchange(get('/nosuch'))
  assert.match(missing, /^HTTP\/1\.1 404 .*\r\n\r\n\{"message":"page not found"\}\n$/s)
  assert.doesNotMatch(missing, /Api-Version/)
})

test('versions outside the range are refused in the words clients match', async () => {
  await using on = await serving({})
  assert.match(
    await on.exchange(get('/v1.99/info')),
    /400 Bad Request.*application\/json.*\{"message":"client version 1\.99 is too new\. Maximum supported API version is 1\.51"\}\n$/s,
  )
  assert.match(
    await on.exchange(get('/v1.23/info')),
    /400 Bad Request.*text\/plain.*client version 1\.23 is too old\. Minimum supported API version is 1\.24, please upgrade your client to a newer version\n$/s,
  )
})

test('the client says where it looked for an engine and what to do', async () => {
  const client = createClient('unix:///nonexistent/engine.sock')
  await assert.rejects(
    client.call(endpoints.info, {}),
    error =>
      isFailure(error, 'unavailable') &&
      error.message.includes('unix:///nonexistent/engine.sock') &&
      error.hint !== undefined,
  )
})

test('a connection that the engine closed while idle is replaced without a word', async () => {
  let requests = 0
  const engine = createServer(socket => {
    let answered = false
    socket.on('data', () => {
      // the second request on a connection meets one that is being closed
      if (answered) return socket.resetAndDestroy()
      answered = true
      requests++
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
    })
  })
  engine.listen(0, '127.0.0.1')
  await once(engine, 'listening')
  const client = createClient(`tcp://127.0.0.1:${(engine.address() as AddressInfo).port}`, { version: '1.51' })
  try {
    for (let i = 0; i < 3; i++) assert.deepEqual(await client.call(endpoints.info, {}), {})
    assert.equal(requests, 3)
  } finally {
    client.close()
    engine.close()
  }
})

test('output is framed without a terminal and raw with one', async () => {
  const output = async function* () {
    yield (['hi', 'there'] as const).map(text => ({ stream: 'stdout' as const, data: Buffer.from(text) }))
  }
  let tty = false
  await using on = await serving({ containerLogs: () => ({ tty, output: output() }) })
  const plain = await on.exchange(get('/containers/x/logs?stdout=1'))
  assert.match(plain, /Content-Type: application\/vnd\.docker\.multiplexed-stream\r\n/)
  for (const text of ['hi', 'there'])
    assert.ok(plain.includes(encodeFrame('stdout', Buffer.from(text)).toString('latin1')))
  tty = true
  const raw = await on.exchange(get('/containers/x/logs?stdout=1'))
  assert.match(raw, /Content-Type: application\/vnd\.docker\.raw-stream\r\n.*\r\n7\r\nhithere\r\n/s)
})
