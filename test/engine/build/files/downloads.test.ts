import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { Downloads } from '../../../../src/engine/build/files/downloads.ts'
import { proxyOf } from '../../../../src/engine/build/files/fetch.ts'
import { lacking, root } from '../../../support/needs.ts'
import { addStep, copied, folderOf } from './support.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

interface Server {
  readonly origin: string
  /** "GET /path", in their order. */
  readonly asked: readonly string[]
}

async function serve(t: TestContext, answer: Answer): Promise<Server> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

function store(t: TestContext, limits: ConstructorParameters<typeof Downloads>[1] = {}) {
  const place = folderOf(t, {})
  const downloads = new Downloads(join(place, 'kept'), limits)
  let steps = 0
  const get = async (
    url: string,
    more: { checksum?: string; args?: Record<string, string>; signal?: AbortSignal } = {},
  ) => {
    const folder = join(place, `step${steps++}`)
    mkdirSync(folder)
    const { checksum, args = {}, signal = new AbortController().signal } = more
    return await downloads.get(url, { folder, checksum, proxy: proxyOf(new Map(Object.entries(args))), signal })
  }
  return { downloads, get, kept: join(place, 'kept') }
}

const text: Answer = (_, response) => response.end('text')

describe('Downloads', () => {
  test('gives the file its name, its time and mode 0600', async t => {
    const { get } = store(t)
    const { origin } = await serve(t, (_, response) =>
      response.writeHead(200, { 'Last-Modified': 'Sat, 01 Jan 2000 00:00:00 GMT' }).end('text'),
    )
    const { path, name, digest } = await get(`${origin}/a/file%20name.txt?query=1`)
    assert.equal(name, 'file name.txt')
    assert.equal(digest, `sha256:${hash('sha256', 'text')}`)
    assert.equal(readFileSync(path, 'utf8'), 'text')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(path).mtimeMs, Date.parse('2000-01-01T00:00:00Z'))
  })

  test('asks the server for a name where the address has none, and never takes a path', async t => {
    const { get } = store(t)
    const named =
      (header: string | undefined): Answer =>
      (_, response) =>
        response.writeHead(200, header === undefined ? {} : { 'Content-Disposition': header }).end('text')
    for (const [header, name] of [
      ['attachment; filename="said.txt"', 'said.txt'],
      ['attachment; filename=../../etc/passwd', 'passwd'],
      ['attachment; filename=".."', '__unnamed__'],
      [undefined, '__unnamed__'],
    ] as const) {
      const { origin } = await serve(t, named(header))
      const found = await get(`${origin}/`)
      assert.equal(found.name, name)
      assert.equal(statSync(found.path).mtimeMs, 0)
    }
  })

  test('asks whether a file has changed, by its tag or its time, and fetches it only then', async t => {
    const { get } = store(t)
    let version = 1
    const { origin, asked } = await serve(t, (request, response) => {
      const tag = `"v${version}"`
      if (request.headers['if-none-match'] === tag) return response.writeHead(304).end()
      return response.writeHead(200, { ETag: tag }).end(`version ${version}`)
    })
    const first = await get(`${origin}/f`)
    const again = await get(`${origin}/f`)
    assert.deepEqual([again.digest, readFileSync(again.path, 'utf8')], [first.digest, 'version 1'])
    version = 2
    assert.equal(readFileSync((await get(`${origin}/f`)).path, 'utf8'), 'version 2')
    assert.equal(readFileSync(first.path, 'utf8'), 'version 1', 'what a step has been given stays')
    assert.equal(asked.length, 3)
    const since = await serve(t, (request, response) =>
      request.headers['if-modified-since']
        ? response.writeHead(304).end()
        : response.writeHead(200, { 'Last-Modified': 'Sat, 01 Jan 2000 00:00:00 GMT' }).end('dated'),
    )
    for (let i = 0; i < 2; i++) assert.equal(readFileSync((await get(`${since.origin}/f`)).path, 'utf8'), 'dated')
  })

  test('asks nobody for a file that is here with the checksum that is wanted, and refuses another', async t => {
    const { get } = store(t)
    const { origin, asked } = await serve(t, text)
    const checksum = `sha256:${hash('sha256', 'text')}`
    await get(`${origin}/f`, { checksum })
    await get(`${origin}/f`, { checksum })
    assert.deepEqual(asked, ['GET /f'])
    const other = `sha256:${'0'.repeat(64)}`
    await assert.rejects(get(`${origin}/f`, { checksum: other }), {
      kind: 'invalid',
      message: /digest mismatch sha256:.*: sha256:0000/,
    })
    await assert.rejects(get(`${origin}/g`, { checksum: other }), { kind: 'invalid' })
  })

  test('says what the server answered, and that nobody is there', async t => {
    const { get, kept } = store(t)
    const { origin } = await serve(t, (request, response) =>
      response.writeHead(Number(request.url!.slice(1))).end('page'),
    )
    await assert.rejects(get(`${origin}/404`), { kind: 'not-found', message: /invalid response status 404/ })
    await assert.rejects(get(`${origin}/403`), { kind: 'denied' })
    await assert.rejects(get(`${origin}/503`), { kind: 'unavailable' })
    await assert.rejects(get('http://127.0.0.1:1/f'), { kind: 'unavailable', message: /127\.0\.0\.1:1/ })
    assert.equal(existsSync(kept), false)
  })

  test('leaves nothing of a file that breaks off, is too large, or is no longer wanted', async t => {
    const { get, kept } = store(t, { bytes: 10 })
    const { origin } = await serve(t, (request, response) => {
      if (request.url === '/short') {
        response.writeHead(200, { 'Content-Length': 8 }).write('1234')
        setImmediate(() => response.destroy())
      } else if (request.url === '/said') response.writeHead(200, { 'Content-Length': 11 }).end('12345678901')
      else if (request.url === '/endless') response.writeHead(200).end('x'.repeat(11))
      else response.writeHead(200).write('1')
    })
    await assert.rejects(get(`${origin}/short`), { kind: 'unavailable' })
    await assert.rejects(get(`${origin}/said`), { kind: 'invalid', message: /more than 10 bytes/ })
    await assert.rejects(get(`${origin}/endless`), { kind: 'invalid', message: /more than 10 bytes/ })
    const stop = new AbortController()
    const waiting = get(`${origin}/hangs`, { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('enough')), 50)
    await assert.rejects(waiting, /enough/)
    assert.deepEqual(readdirSync(kept), [])
  })

  test('follows redirects, but not away from HTTP, and takes credentials to their own origin alone', async t => {
    const { get } = store(t)
    const seen: (string | undefined)[] = []
    const other = await serve(t, (request, response) => {
      seen.push(request.headers.authorization)
      response.end('there')
    })
    const { origin } = await serve(t, (request, response) => {
      if (request.url === '/here') seen.push(request.headers.authorization)
      const to = { '/start': '/here', '/file': 'file:///etc/passwd', '/here': `${other.origin}/f`, '/round': '/round' }[
        request.url!
      ]
      response.writeHead(302, { Location: to }).end()
    })
    const found = await get(`${origin.replace('//', '//user:pass@')}/start`)
    assert.equal(readFileSync(found.path, 'utf8'), 'there')
    assert.deepEqual(seen, [`Basic ${Buffer.from('user:pass').toString('base64')}`, undefined])
    await assert.rejects(get(`${origin}/file`), { kind: 'denied', message: /redirected to "file:/ })
    await assert.rejects(get(`${origin}/round`), { kind: 'unavailable', message: /redirects/ })
    await assert.rejects(get('file:///etc/passwd'), { kind: 'invalid' })
  })

  test('goes by the proxy of the build, and says no password', async t => {
    const { get } = store(t)
    const proxy = await serve(t, (request, response) => response.end(request.url))
    const args = { HTTP_PROXY: proxy.origin }
    const found = await get('http://far.invalid/f', { args })
    assert.equal(readFileSync(found.path, 'utf8'), 'http://far.invalid/f')
    await assert.rejects(
      get('http://user:secret@127.0.0.1:1/f', { args: { ...args, no_proxy: '127.0.0.1' } }),
      error => {
        assert.doesNotMatch(String(error), /secret/)
        return true
      },
    )
  })

  test('throws away what was asked for longest ago when too much is kept, and any when told to', async t => {
    const { get, downloads } = store(t, { kept: 10 })
    const { origin, asked } = await serve(t, (_, response) => response.writeHead(200, { ETag: '"1"' }).end('123456'))
    await get(`${origin}/a`)
    await get(`${origin}/b`)
    const kept = downloads.list()
    assert.deepEqual(
      kept.map(({ size }) => size),
      [6],
    )
    assert.equal(await downloads.remove(kept[0]!.id), true)
    assert.equal(await downloads.remove(kept[0]!.id), false)
    assert.deepEqual(downloads.list(), [])
    assert.equal(asked.length, 2)
  })

  test('hands the same file to two steps at once', async t => {
    const { get } = store(t)
    const { origin } = await serve(t, text)
    const found = await Promise.all([1, 2, 3].map(() => get(`${origin}/f`)))
    assert.deepEqual(
      found.map(({ path }) => readFileSync(path, 'utf8')),
      ['text', 'text', 'text'],
    )
  })
})

describe('copyFiles() of what was fetched', { skip: lacking(root()) }, () => {
  test('puts a file under its name into a folder, with its own mode or that of --chmod', async t => {
    const fetched = [{ path: join(folderOf(t, { content: ['text', '0600'] }), 'content'), name: 'f.txt', digest: '' }]
    const step = addStep([], '/d/', { sources: [{ kind: 'http', url: 'http://h/f.txt', checksum: undefined }] })
    const context = {}
    assert.deepEqual((await copied(t, step, { context, fetched })).changes, { '/d/': '755', '/d/f.txt': '600 text' })
    const named = { ...step, destination: '/n', chmod: '755', chown: '5' }
    assert.deepEqual((await copied(t, named, { context, fetched })).changes, { '/n': '755 5:5 text' })
  })
})
