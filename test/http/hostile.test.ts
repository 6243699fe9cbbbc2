import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { maxJsonBody } from '../../src/engine/server/decode.ts'
import { Router } from '../../src/engine/server/router.ts'
import { isFailure } from '../../src/lib/failure.ts'
import { get, serving } from './serving.ts'

const router = new Router(Object.values(endpoints))
const found = (method: string, url: string) => {
  const route = router.find(method, url)
  return route && [route.endpoint.name, { ...route.params }]
}

test('a path leads to exactly one endpoint or to none', () => {
  assert.deepEqual(found('GET', '/v1.44/containers/web/json?size=1'), ['containerInspect', { id: 'web' }])
  assert.deepEqual(found('GET', '/containers/json'), ['containerList', {}])
  assert.deepEqual(found('GET', '/images/json'), ['imageList', {}])
  assert.deepEqual(found('GET', '/images/a/b/json'), ['imageInspect', { name: 'a/b' }])
  assert.deepEqual(found('GET', '/images/json/json'), ['imageInspect', { name: 'json' }])
  assert.deepEqual(found('GET', '/images/a%2Fb:1/json'), ['imageInspect', { name: 'a/b:1' }])
  assert.deepEqual(found('DELETE', '/images/json'), ['imageRemove', { name: 'json' }])
  assert.deepEqual(found('GET', '/networks/create'), ['networkInspect', { id: 'create' }])
  assert.deepEqual(found('GET', '/containers/a%252fb/json'), ['containerInspect', { id: 'a%2fb' }])
  // a link's name
  assert.deepEqual(found('GET', '/containers/a%2fb/json'), ['containerInspect', { id: 'a/b' }])
  assert.deepEqual(found('DELETE', '/containers/web/store'), ['containerRemove', { id: 'web/store' }])
  for (const url of [
    '/v1.44/containers/../images/json',
    '/containers/%2e%2e/json',
    '//containers/json',
    '/containers//json',
    '/containers/json/',
    '/containers/a/../../info',
    '/images/../containers/json',
    '/images/a%2f%2e%2e%2fb/json',
    '/images//json',
    '/v1.44/v1.44/info',
    '/V1.44/info',
    '/Info',
    '/info%00',
    '/',
    '',
    '*',
    'http://x/info',
    'info',
    '/containers/x/start/',
  ])
    assert.equal(found('GET', url), undefined, url)
  assert.equal(found('POST', '/info'), undefined)
  assert.equal(found('get', '/info'), undefined)
  assert.throws(
    () => found('GET', '/containers/%zz/json'),
    error => isFailure(error, 'invalid'),
  )
})

test('a method in a header or in the query does not override the real one', async () => {
  await using on = await serving({ info: () => ({ ID: 'x' }) as never })
  assert.match(
    await on.exchange(
      'GET /containers/x/start?_method=POST HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: POST\r\nConnection: close\r\n\r\n',
    ),
    /^HTTP\/1\.1 404 /,
  )
})

test('a JSON body is read up to a limit, whether it tells its length or not', async () => {
  let called = 0
  await using on = await serving({
    containerCreate: () => {
      called++
      return { Id: 'x', Warnings: [] }
    },
  })
  const Image = 'x'.repeat(maxJsonBody)
  await assert.rejects(
    on.client.call(endpoints.containerCreate, { body: { Image } }),
    error => isFailure(error, 'invalid') && /the request body is over 4194304 bytes/.test(error.message),
  )
  const head =
    'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
  const socket = on.dial().on('error', () => {})
  socket.write(head)
  const chunk = `10000\r\n${'x'.repeat(65536)}\r\n`
  const answer = once(socket, 'data')
  for (let i = 0; i < 70; i++) socket.write(chunk)
  assert.match(String((await answer)[0]), /^HTTP\/1\.1 400 .*the request body is over 4194304 bytes/s)
  socket.destroy()
  assert.equal(called, 0)
})

test('what is no JSON of the right kind is refused with the reason', async () => {
  await using on = await serving({ containerCreate: () => ({ Id: 'x', Warnings: [] }) })
  const post = (type: string, body: string) =>
    on.exchange(
      `POST /containers/create HTTP/1.1\r\nHost: x\r\n${type && `Content-Type: ${type}\r\n`}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    )
  assert.match(
    await post('text/plain', '{}'),
    /400 .*unsupported Content-Type header \(text\/plain\): must be 'application\/json'/s,
  )
  assert.match(await post('', '{}'), /unsupported Content-Type header \(\): must be/)
  assert.match(await post('application/jsonp', '{}'), /unsupported Content-Type/)
  assert.match(await post('application/json', ''), /got EOF while reading request body/)
  assert.match(await post('application/json', '{'), /400 .*invalid JSON/s)
  assert.match(await post('application/json', '{"HostConfig":{"Memory":"1g"}}'), /invalid JSON: HostConfig\.Memory: /)
  assert.match(await post('application/json; charset=utf-8', '{}'), /^HTTP\/1\.1 201 /)
  assert.match(await post('application/json', '['.repeat(200_000)), /400 .*invalid JSON/s)
  assert.match(await post('application/json', '{"__proto__":{"Image":"x"}}'), /^HTTP\/1\.1 201 /)
})

test('queries that are malformed are refused', async () => {
  await using on = await serving({
    containerList: () => [],
    containerLogs: () => assert.fail(),
    containerStop: async () => {},
  })
  assert.match(await on.exchange(get('/containers/json?limit=ten')), /400 .*parsing \\"ten\\"/s)
  assert.match(await on.exchange(get('/containers/json?filters=nonsense')), /400 .*invalid filters/s)
  assert.match(await on.exchange(get('/containers/x/logs?since=yesterday')), /400 .*invalid since/s)
  assert.match(await on.exchange(get('/containers/json?limit=-1&all=True&filters=')), /^HTTP\/1\.1 200 /)
})

test('requests with two lengths, or a length and chunks, are refused', async () => {
  await using on = await serving({ containerCreate: () => assert.fail() })
  for (const headers of [
    'Content-Length: 2\r\nContent-Length: 3',
    'Content-Length: 2\r\nTransfer-Encoding: chunked',
    'Content-Length: -1',
    'Content-Length: 0x2',
  ])
    assert.match(
      await on.exchange(
        `POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n\r\n{}`,
      ),
      /^HTTP\/1\.1 400 Bad Request\r\n/,
      headers,
    )
})

test('a flood of headers is refused', async () => {
  await using on = await serving({})
  const flood = Array.from({ length: 500 }, (_, i) => `X-${i}: ${'y'.repeat(60)}\r\n`).join('')
  assert.match(await on.exchange(`GET /_ping HTTP/1.1\r\nHost: x\r\n${flood}\r\n`), /^HTTP\/1\.1 431 /)
  assert.match(await on.exchange(get(`/_ping?${'x'.repeat(20_000)}`)), /^HTTP\/1\.1 431 /)
})

test('a client that never finishes its request does not keep others from being served', async () => {
  await using on = await serving({})
  const slow = Array.from({ length: 200 }, () => {
    const socket = on.dial().on('error', () => {})
    socket.write('GET /_ping HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    return socket
  })
  assert.equal(await on.client.call(endpoints.ping, {}), 'OK')
  for (const socket of slow) socket.destroy()
})

test('bytes that are no HTTP end in an answer and a closed connection', async () => {
  await using on = await serving({})
  assert.match(await on.exchange('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'), /^HTTP\/1\.1 400 /)
  assert.equal(await on.client.call(endpoints.ping, {}), 'OK')
})

test('plain TCP is refused unless it was asked for in so many words', async () => {
  await assert.rejects(
    serving({}, { listeners: [{ kind: 'tcp', host: '127.0.0.1', port: 0, insecure: false }] }),
    error => isFailure(error, 'denied') && /root on this host/.test(error.message),
  )
})

test('over TCP a browser gets nothing: neither by another name for this host, nor from a page', async () => {
  await using on = await serving(
    { containerCreate: () => assert.fail() },
    {
      listeners: [{ kind: 'tcp', host: '127.0.0.1', port: 0, insecure: true }],
    },
  )
  const { port } = new URL(on.server.sockets[1]!.address)
  const ask = (headers: string, method = 'GET', path = '/_ping') =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1')
      let answer = ''
      socket
        .on('data', piece => (answer += piece))
        .on('end', () => resolve(answer))
        .on('error', reject)
      socket.write(`${method} ${path} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`)
    })
  assert.match(await ask(`Host: 127.0.0.1:${port}\r\n`), /^HTTP\/1\.1 200 /)
  assert.match(await ask(`Host: localhost:${port}\r\n`), /^HTTP\/1\.1 200 /)
  assert.match(await ask('Host: evil.test\r\n'), /^HTTP\/1\.1 403 /)
  assert.match(await ask(''), /^HTTP\/1\.1 4\d\d /)
  assert.match(await ask(`Host: localhost:${port}\r\nOrigin: http://evil.test\r\n`), /^HTTP\/1\.1 403 /)
  assert.match(await ask(`Host: localhost:${port}\r\nSec-Fetch-Site: cross-site\r\n`), /^HTTP\/1\.1 403 /)
  const preflight = await ask(
    `Host: localhost:${port}\r\nOrigin: http://evil.test\r\n`,
    'OPTIONS',
    '/containers/create',
  )
  assert.doesNotMatch(preflight, /Access-Control/i)
  assert.match(
    await ask(
      `Host: localhost:${port}\r\nOrigin: http://evil.test\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n`,
      'POST',
      '/containers/x/attach',
    ),
    /^HTTP\/1\.1 403 /,
  )
})

test('a list that is too short is refused, and no check stumbles over what is not in it', async () => {
  await using on = await serving({})
  const body = '{"Command":[]}'
  const answer = await on.exchange(
    `PUT /companions/keeper HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
  assert.deepEqual(on.problems, [])
})
