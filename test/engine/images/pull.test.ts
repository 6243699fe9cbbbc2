import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Events } from '../../../src/engine/base/events.ts'
import { Images } from '../../../src/engine/images/images.ts'
import { lacking, root } from '../../support/needs.ts'
import { temporaryPaths } from '../../support/temporary-paths.ts'
import { sha256, type TinyParts, tinyManifest, tinyParts, tinyTar } from '../../support/tiny-image.ts'
import { threads } from '../../support/unpack-threads.ts'
import { inventory, store } from './pull-box.ts'

const skip = lacking(root())

/** A registry that does as a test says: answers by path below /v2/app/, everything it was asked is noted. */
async function fakeRegistry(
  t: TestContext,
  answer: (path: string, request: IncomingMessage, response: ServerResponse) => void,
) {
  const asked: string[] = []
  const authorizations: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.headers.host} ${request.url}`)
    authorizations.push(request.headers.authorization)
    answer(request.url!.replace('/v2/app/', ''), request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const port = (server.address() as AddressInfo).port
  return { host: `127.0.0.1:${port}`, port, asked, authorizations }
}

/** Serves a whole image, with some of its answers replaced. */
function serve(parts: TinyParts, replaced: Readonly<Record<string, Buffer | (() => Buffer)>> = {}) {
  const manifest = tinyManifest(parts)
  const all: Record<string, Buffer> = { 'manifests/1': manifest, [`manifests/${sha256(manifest)}`]: manifest }
  for (const blob of [parts.config, ...parts.layers]) all[`blobs/${sha256(blob)}`] = blob
  return (path: string, response: ServerResponse) => {
    const other = replaced[path]
    const body = typeof other === 'function' ? other() : (other ?? all[path])
    if (path.startsWith('manifests')) response.setHeader('Content-Type', 'application/vnd.oci.image.manifest.v1+json')
    if (body === undefined) response.writeHead(404).end()
    else response.end(body)
  }
}

describe('pull', { skip }, () => {
  test('gets a token for its repository and shows the password to nobody else', async t => {
    const parts = await tinyParts({ files: { a: 'x' } })
    const answer = serve(parts)
    const registry = await fakeRegistry(t, (path, request, response) => {
      if (path.startsWith('/token')) return void response.end(JSON.stringify({ token: 'secret-token' }))
      if (request.headers.authorization === 'Bearer secret-token') return answer(path, response)
      const challenge = `Bearer realm="http://${request.headers.host}/token",service="here"`
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end()
    })
    const { images } = await store(t)
    const image = await images.pull(`${registry.host}/app:1`, { auth: { username: 'u', password: 'p' } })
    assert.equal(image.id, parts.id)
    assert.equal(registry.asked[1], `${registry.host} /token?scope=repository%3Aapp%3Apull&service=here`)
    const basic = `Basic ${Buffer.from('u:p').toString('base64')}`
    assert.deepEqual(registry.authorizations.slice(0, 2), [undefined, basic])
    assert.ok(registry.authorizations.slice(2).every(each => each === 'Bearer secret-token'))
  })

  test('sends no credentials to a token service of another site, nor over plain HTTP', async t => {
    const { images } = await store(t)
    for (const [realm, text] of [
      ['https://tokens.example.com/x', /sends credentials to "tokens.example.com", which is another site/],
      ['http://tokens.example.com/x', /it is not https/],
      ['https://169.254.169.254/x', /it is a link-local address/],
      ['file:///etc/passwd', /it is not https/],
      ['nowhere', /names no place/],
    ] as const) {
      const registry = await fakeRegistry(t, (_path, _request, response) => {
        response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="${realm}"` }).end()
      })
      await assert.rejects(images.pull(`${registry.host}/app:1`, { auth: { username: 'u', password: 'p' } }), text)
    }
  })

  test('follows a redirect of a blob to another origin without its authorization', async t => {
    const parts = await tinyParts({ files: { a: 'x' } })
    const answer = serve(parts)
    const storage = await fakeRegistry(t, (path, _request, response) => answer(path, response))
    const registry = await fakeRegistry(t, (path, request, response) => {
      if (request.headers.authorization === undefined) {
        return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end()
      }
      if (path.startsWith('manifests')) return answer(path, response)
      response.writeHead(307, { Location: `http://${storage.host}${request.url}` }).end()
    })
    const { images } = await store(t)
    await images.pull(`${registry.host}/app:1`, { auth: { username: 'u', password: 'p' } })
    assert.equal(storage.asked.length, 2)
    assert.deepEqual(storage.authorizations, [undefined, undefined])
  })

  test('refuses a redirect away from https, and one without end', async t => {
    const { images } = await store(t)
    for (const [location, text] of [
      ['http://example.com/', /it is not https/],
      ['file:///etc/passwd', /it is not https/],
      ['/v2/app/manifests/1', /more than 5 redirects/],
    ] as const) {
      const registry = await fakeRegistry(t, (_path, _request, response) => {
        response.writeHead(302, { Location: location }).end()
      })
      await assert.rejects(images.pull(`${registry.host}/app:1`), text)
    }
  })

  test('refuses what a registry lies about, and leaves nothing', async t => {
    const parts = await tinyParts({ files: { a: 'x'.repeat(2000) } })
    const layer = parts.layers[0]!
    const path = `blobs/${sha256(layer)}`
    const manifest = JSON.parse(tinyManifest(parts).toString())
    const change = (changes: object) => Buffer.from(JSON.stringify({ ...manifest, ...changes }))
    const lies: ReadonlyArray<readonly [Readonly<Record<string, Buffer>>, RegExp]> = [
      [{ [path]: Buffer.concat([layer, Buffer.alloc(10)]) }, /more than the announced \d+ bytes were sent/],
      [{ [path]: layer.subarray(0, 1000) }, /it has 1000 bytes, \d+ were announced/],
      [{ [path]: Buffer.alloc(layer.length) }, /its content has digest/],
      [{ [`blobs/${parts.id}`]: Buffer.alloc(parts.config.length, ' ') }, /Cannot use blob "sha256:\w+" of registry/],
      [{ 'manifests/1': Buffer.from('{') }, /it is not JSON/],
      [{ 'manifests/1': change({ layers: [] }) }, /its manifest has 0 layers, its configuration 1/],
      [{ 'manifests/1': change({ manifests: [] }) }, /it is both an index and a manifest/],
      [
        { 'manifests/1': change({ mediaType: 'application/vnd.oci.image.index.v1+json' }) },
        /says something else than its content/,
      ],
      [{ 'manifests/1': change({ schemaVersion: 1 }) }, /withdrawn schema version 1/],
      [
        { 'manifests/1': change({ layers: [{ ...manifest.layers[0], digest: 'sha256:../../../../etc/passwd' }] }) },
        /not a sha256 digest/,
      ],
      [{ 'manifests/1': change({ layers: [{ ...manifest.layers[0], size: -1 }] }) }, /size/],
      [{ 'manifests/1': Buffer.alloc(5 * 1024 * 1024, ' ') }, /larger than 4194304 bytes/],
    ]
    for (const [replaced, text] of lies) {
      const registry = await fakeRegistry(t, (asked, _request, response) => serve(parts, replaced)(asked, response))
      const { images, paths } = await store(t)
      await assert.rejects(images.pull(`${registry.host}/app:1`), text)
      assert.deepEqual(inventory(paths), [0, 0, 0], String(text))
    }
  })

  test('refuses layers that are bombs, by bytes, entries and ratio, names them, and leaves nothing', async t => {
    const zeros = await tinyTar({ zeros: Buffer.alloc(3_000_000) })
    const many = await tinyTar(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`f${i}`, ''])))
    for (const [tar, limits, text] of [
      [zeros, { bytes: 2_000_000 }, /Cannot unpack "zeros": the layer has more than 2000000 bytes/],
      [many, { entries: 100 }, /the layer has more than 100 entries/],
    ] as const) {
      const layer = gzipSync(tar)
      const document = {
        architecture: 'amd64',
        os: 'linux',
        config: {},
        rootfs: { type: 'layers', diff_ids: [sha256(tar)] },
      }
      const config = Buffer.from(JSON.stringify(document))
      const answer = serve({ config, layers: [layer], id: sha256(config) })
      const registry = await fakeRegistry(t, (path, _request, response) => answer(path, response))
      const paths = temporaryPaths(t)
      const images = await Images.open(paths, new Events(), { limits, threads, registries: { backoff: 1 } })
      await assert.rejects(images.pull(`${registry.host}/app:1`), text)
      assert.deepEqual(inventory(paths), [0, 0, 0])
    }
  })

  test('gives up documents without end: too long ones at once, slow ones after its patience', async t => {
    for (const [pieces, text] of [
      [Buffer.alloc(1 << 20, ' '), /larger than 4194304 bytes/],
      [Buffer.from(' '), /did not come to an end within 0.3 seconds/],
    ] as const) {
      const registry = await fakeRegistry(t, (_path, _request, response) => {
        const timer = setInterval(() => response.write(pieces), 5)
        response.on('close', () => clearInterval(timer))
      })
      const paths = temporaryPaths(t)
      const registries = { backoff: 1, retries: 0, patience: pieces.length > 1 ? 60_000 : 300 }
      const images = await Images.open(paths, new Events(), { threads, registries })
      await assert.rejects(images.pull(`${registry.host}/app:1`), text)
      assert.deepEqual(inventory(paths), [0, 0, 0])
    }
  })

  test('gives up a blob that stands still, once it has been asked for again', async t => {
    const parts = await tinyParts({ files: { a: 'x'.repeat(5000) } })
    const answer = serve(parts)
    let asked = 0
    const registry = await fakeRegistry(t, (path, _request, response) => {
      if (path !== `blobs/${sha256(parts.layers[0]!)}`) return answer(path, response)
      asked++
      response.write(parts.layers[0]!.subarray(0, 1000))
    })
    const paths = temporaryPaths(t)
    const images = await Images.open(paths, new Events(), {
      threads,
      registries: { backoff: 1, retries: 1, patience: 200 },
    })
    await assert.rejects(images.pull(`${registry.host}/app:1`), /Cannot read from registry/)
    assert.ok(asked >= 2, `asked ${asked} times`)
    assert.deepEqual(inventory(paths), [0, 0, 0])
  })

  test('by digest refuses another manifest than the one asked for', async t => {
    const parts = await tinyParts({ files: { a: 'x' } })
    const wanted = sha256('another')
    const registry = await fakeRegistry(t, (_path, _request, response) => response.end(tinyManifest(parts)))
    const { images } = await store(t)
    await assert.rejects(images.pull(`${registry.host}/app@${wanted}`), /its content has digest/)
  })

  test('fetches each layer once when several ask at the same time, under one name or two', async t => {
    const parts = await tinyParts({ layers: [{ a: 'x' }, { b: 'y' }] })
    const answer = serve(parts, { 'manifests/2': tinyManifest(parts) })
    const registry = await fakeRegistry(t, (path, _request, response) => setImmediate(() => answer(path, response)))
    const { images } = await store(t)
    const pulled = await Promise.all(['1', '1', '2'].map(tag => images.pull(`${registry.host}/app:${tag}`)))
    assert.deepEqual(new Set(pulled.map(image => image.id)), new Set([parts.id]))
    for (const layer of parts.layers) {
      assert.equal(registry.asked.filter(line => line.endsWith(sha256(layer))).length, 1)
    }
    assert.deepEqual(images.get(parts.id).tags, [`${registry.host}/app:1`, `${registry.host}/app:2`])
  })

  test('when cancelled ends at once and leaves nothing; who else asked goes on', async t => {
    const parts = await tinyParts({ files: { a: 'x'.repeat(5000) } })
    const answer = serve(parts)
    const held = Promise.withResolvers<() => void>()
    const blob = `blobs/${sha256(parts.layers[0]!)}`
    const registry = await fakeRegistry(t, (path, _request, response) => {
      if (path !== blob) return answer(path, response)
      response.write(parts.layers[0]!.subarray(0, 1000))
      held.resolve(() => response.end(parts.layers[0]!.subarray(1000)))
    })
    const { images, paths } = await store(t)
    const [first, second] = [new AbortController(), new AbortController()]
    const pulls = [first, second].map(({ signal }) => images.pull(`${registry.host}/app:1`, { signal }))
    const release = await held.promise
    first.abort()
    await assert.rejects(pulls[0]!, { kind: 'cancelled' })
    release()
    assert.equal((await pulls[1]!).id, parts.id)

    await images.remove(parts.id, { force: true, usedBy: () => [] })
    const stuck = Promise.withResolvers<void>()
    const silent = await fakeRegistry(t, (path, _request, response) => {
      if (path !== blob) return answer(path, response)
      response.write(parts.layers[0]!.subarray(0, 1000))
      stuck.resolve()
    })
    const lonely = new AbortController()
    const pull = images.pull(`${silent.host}/app:1`, { signal: lonely.signal })
    await stuck.promise
    lonely.abort()
    await assert.rejects(pull, { kind: 'cancelled' })
    assert.deepEqual(inventory(paths), [0, 0, 0])
  })

  test('names the registry that cannot be reached or breaks off', async t => {
    const { images, paths } = await store(t)
    await assert.rejects(images.pull('127.0.0.1:1/app'), /Cannot reach registry "127.0.0.1:1"/)
    const parts = await tinyParts({ files: { a: 'x'.repeat(5000) } })
    const answer = serve(parts)
    const registry = await fakeRegistry(t, (path, _request, response) => {
      if (path !== `blobs/${sha256(parts.layers[0]!)}`) return answer(path, response)
      response.writeHead(200, { 'Content-Length': parts.layers[0]!.length })
      response.write(parts.layers[0]!.subarray(0, 1000), () => response.destroy())
    })
    await assert.rejects(images.pull(`${registry.host}/app:1`), {
      kind: 'unavailable',
      message: /Cannot read from registry 127/,
    })
    assert.deepEqual(inventory(paths), [0, 0, 0])
  })
})
