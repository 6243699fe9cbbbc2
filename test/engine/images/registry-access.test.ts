/** How registries are reached: TLS, proxies, mirrors, logins, and what happens when they go away. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { Events } from '../../../src/engine/base/events.ts'
import { repositoryTags } from '../../../src/engine/images/distribution.ts'
import { Images } from '../../../src/engine/images/images.ts'
import { defaultSettings, mirrorsOf, type RegistrySettings } from '../../../src/engine/images/registry/settings.ts'
import { lacking, program, root } from '../../support/needs.ts'
import { hasRegistry, registryUser, startRegistry, type TestRegistry } from '../../support/registry.ts'
import { slowProxy } from '../../support/slow-proxy.ts'
import { temporaryFolder, temporaryPaths } from '../../support/temporary-paths.ts'
import { sha256, tinyImageTar, tinyManifest, tinyParts } from '../../support/tiny-image.ts'
import { threads } from '../../support/unpack-threads.ts'

async function store(t: TestContext, settings: Partial<RegistrySettings> = {}) {
  const paths = temporaryPaths(t)
  const registries = { backoff: 20, certificates: [], ...settings }
  return { paths, images: await Images.open(paths, new Events(), { threads, registries }) }
}

/** A folder of certificates for a registry, as certs.d has them. */
function certificatesFor(t: TestContext, registry: TestRegistry, withClient = false): string {
  const folder = temporaryFolder(t)
  const own = join(folder, registry.host)
  mkdirSync(own)
  writeFileSync(join(own, 'ca.crt'), registry.ca!)
  if (withClient) {
    copyFileSync(join(registry.folder, 'client.crt'), join(own, 'client.cert'))
    copyFileSync(join(registry.folder, 'client.key'), join(own, 'client.key'))
  }
  return folder
}

const needs = lacking(root(), !hasRegistry && 'the program "docker-registry"', program('openssl'))

describe('a registry with TLS', { skip: needs }, () => {
  test('is verified by the authority in its folder of certs.d, and refused when another signed for it', async t => {
    await using registry = await startRegistry({ tls: true, auth: true })
    await using other = await startRegistry({ tls: true })
    const name = `${registry.host}/app`
    const { images } = await store(t, { certificates: [certificatesFor(t, registry)] })
    await images.load(Readable.from([await tinyImageTar({ tag: `${name}:1` })]))
    await images.push(name, '1', { auth: registryUser })
    const puller = await store(t, { certificates: [certificatesFor(t, registry)] })
    assert.equal((await puller.images.pull(`${name}:1`, { auth: registryUser })).id, images.get(`${name}:1`).id)

    const wrong = certificatesFor(t, { ...registry, ca: other.ca })
    const mistaken = await store(t, { certificates: [wrong] })
    await assert.rejects(mistaken.images.pull(`${name}:1`, { auth: registryUser }), {
      kind: 'unavailable',
      message: new RegExp(`Cannot reach registry "${registry.host}"`),
      hint: `Put its authority's certificate into /etc/docker/certs.d/${registry.host}/ca.crt`,
    })
  })

  test('on loopback needs no certificate of its authority, as with Docker', async t => {
    await using registry = await startRegistry({ tls: true })
    const { images } = await store(t)
    await images.load(Readable.from([await tinyImageTar({ tag: `${registry.host}/app:1` })]))
    await images.push(`${registry.host}/app`, '1')
  })

  test('that asks for a certificate of ours gets the one in its folder', async t => {
    await using registry = await startRegistry({ clients: true })
    const name = `${registry.host}/app`
    const tar = await tinyImageTar({ tag: `${name}:1` })
    const without = await store(t, { certificates: [certificatesFor(t, registry)] })
    await without.images.load(Readable.from([tar]))
    await assert.rejects(without.images.push(name, '1'), { kind: 'unavailable' })
    const { images } = await store(t, { certificates: [certificatesFor(t, registry, true)] })
    await images.load(Readable.from([tar]))
    await images.push(name, '1')
  })
})

describe('a registry that goes away', { skip: needs }, () => {
  test('and comes back in the middle of a pull: the pull goes on where it was, and ends', async t => {
    await using registry = await startRegistry()
    const noise = randomBytes(3000000)
    const { id } = await registry.pushImage('app', '1', { layers: [{ noise }, { small: 'x' }] })
    const slow = await slowProxy(t, registry)
    const { images } = await store(t)
    const waits: (string | undefined)[] = []
    const image = await images.pull(`${slow.host}/app:1`, { onProgress: ({ status }) => waits.push(status) })
    assert.equal(image.id, id)
    assert.ok(
      slow.ranges.some(range => /^bytes=\d{6,}-$/.test(range)),
      `asked for ${slow.ranges}`,
    )
  })

  test('for good is given up, and nothing is left', async t => {
    await using registry = await startRegistry()
    await registry.pushImage('app', '1', { files: { noise: randomBytes(3000000) } })
    const slow = await slowProxy(t, registry, false)
    const { images } = await store(t, { retries: 2, backoff: 1 })
    await assert.rejects(images.pull(`${slow.host}/app:1`), { kind: 'unavailable' })
    assert.deepEqual(images.list(), [])
  })
})

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** A server on loopback that does as a test says; every request is noted. */
async function server(t: TestContext, answer: Answer) {
  const asked: { readonly url: string; readonly authorization: string | undefined; readonly body: string }[] = []
  const http = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      asked.push({ url: `${request.method} ${request.url}`, authorization: request.headers.authorization, body })
      answer(request, response, body)
    })
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.after(() => {
    http.close()
    http.closeAllConnections()
  })
  return { host: `127.0.0.1:${(http.address() as AddressInfo).port}`, asked }
}

/** Answers with the parts of an image, below /v2/app/. */
async function imageServer() {
  const parts = await tinyParts({ files: { a: 'x' } })
  const manifest = tinyManifest(parts)
  const all = new Map([
    ['/v2/app/manifests/1', manifest],
    ...[parts.config, ...parts.layers].map(blob => [`/v2/app/blobs/${sha256(blob)}`, blob] as const),
  ])
  const answer: Answer = (request, response) => {
    const body = all.get(request.url!)
    if (body === undefined) response.writeHead(404).end()
    else response.end(body)
  }
  return { parts, answer }
}

describe('tokens', { skip: lacking(root()) }, () => {
  test('are renewed when they have run out, and when the registry says so', async t => {
    const { parts, answer } = await imageServer()
    let valid = ''
    const registry = await server(t, (request, response, body) => {
      if (request.url!.startsWith('/token')) {
        valid = `t${Math.random()}`
        return void response.end(JSON.stringify({ token: valid, expires_in: 300 }))
      }
      if (request.headers.authorization !== `Bearer ${valid}`)
        return void response
          .writeHead(401, { 'WWW-Authenticate': `Bearer realm="http://${request.headers.host}/token"` })
          .end()
      // the one that was good for the manifest is not for the blobs
      if (request.url!.includes('manifests')) valid = 'none'
      answer(request, response, body)
    })
    const { images } = await store(t)
    assert.equal((await images.pull(`${registry.host}/app:1`)).id, parts.id)
    assert.ok(registry.asked.filter(({ url }) => url.startsWith('GET /token')).length >= 2)
  })

  test('are asked for by an identity token in the body of a POST, never in an address', async t => {
    const { answer } = await imageServer()
    const registry = await server(t, (request, response, body) => {
      if (request.url === '/token') return void response.end(JSON.stringify({ access_token: 'good' }))
      if (request.headers.authorization === 'Bearer good') return answer(request, response, body)
      const challenge = `Bearer realm="http://${request.headers.host}/token",service="s"`
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end()
    })
    const { images } = await store(t)
    await images.pull(`${registry.host}/app:1`, { auth: { identityToken: 'secret' } })
    const { url, body } = registry.asked.find(({ url }) => url.includes('/token'))!
    assert.equal(url, 'POST /token')
    const { grant_type, refresh_token, service, scope } = Object.fromEntries(new URLSearchParams(body))
    assert.deepEqual(
      [grant_type, refresh_token, service, scope],
      ['refresh_token', 'secret', 's', 'repository:app:pull'],
    )
  })

  test('for a push are for pull and push, and for pull of where layers are taken over from', async t => {
    const registry = await server(t, (request, response) => {
      if (request.url!.startsWith('/token')) return void response.writeHead(403).end()
      response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="http://${request.headers.host}/token"` }).end()
    })
    const { images } = await store(t)
    await images.load(Readable.from([await tinyImageTar({ tag: `${registry.host}/app:1` })]))
    await assert.rejects(images.push(`${registry.host}/app`, '1'), {
      kind: 'denied',
      message: 'denied: requested access to the resource is denied',
    })
    assert.ok(registry.asked.some(({ url }) => url === 'GET /token?scope=repository%3Aapp%3Apull%2Cpush'))
  })

  test('credentials that name another registry are not shown', async t => {
    const registry = await server(t, (_request, response) => {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end()
    })
    const { images } = await store(t)
    const auth = { username: 'u', password: 'p', server: 'https://index.docker.io/v1/' }
    await assert.rejects(images.pull(`${registry.host}/app:1`, { auth }), /no basic auth credentials/)
    assert.deepEqual(
      registry.asked.map(({ authorization }) => authorization),
      [undefined],
    )
  })
})

describe('a registry that has too much to do', { skip: lacking(root()) }, () => {
  test('is asked again, and no sooner than it says', async t => {
    const { parts, answer } = await imageServer()
    let refused = 0
    const times: number[] = []
    const registry = await server(t, (request, response, body) => {
      times.push(Date.now())
      if (++refused <= 2) return void response.writeHead(refused === 1 ? 503 : 429, { 'Retry-After': '0.3' }).end()
      answer(request, response, body)
    })
    const { images } = await store(t)
    assert.equal((await images.pull(`${registry.host}/app:1`)).id, parts.id)
    assert.ok(times[2]! - times[0]! >= 550, `asked at ${times.map(time => time - times[0]!)}`)
  })
})

describe('mirrors', { skip: lacking(root()) }, () => {
  test('are asked first, without credentials, and passed over when they have nothing', async t => {
    const { parts, answer } = await imageServer()
    const registry = await server(t, answer)
    const empty = await server(t, (_request, response) => response.writeHead(404).end())
    const full = await server(t, answer)
    const through = async (mirrors: readonly string[]) => {
      const { images } = await store(t, { mirrors: mirrors.map(each => `${registry.host}=http://${each}`) })
      return await images.pull(`${registry.host}/app:1`, { auth: { username: 'u', password: 'p' } })
    }
    assert.equal((await through([empty.host, full.host])).id, parts.id)
    assert.equal(registry.asked.length, 0)
    assert.equal(full.asked.length, 3)
    assert.equal((await through([empty.host, '127.0.0.1:1'])).id, parts.id)
    assert.equal(registry.asked.length, 3)
    for (const { authorization } of [...empty.asked, ...full.asked]) assert.equal(authorization, undefined)
  })

  test('are asked for all tags too, the next one when one does not tell them', async t => {
    const tags = (names: readonly string[]) =>
      server(t, (_request, response) => response.end(JSON.stringify({ name: 'app', tags: names })))
    const registry = await tags(['of-registry'])
    const [empty, full] = [
      await server(t, (_request, response) => response.writeHead(404).end()),
      await tags(['b', 'a']),
    ]
    const through = async (mirrors: readonly string[]) => {
      const settings = { ...defaultSettings, mirrors: mirrors.map(each => `${registry.host}=http://${each}`) }
      return await repositoryTags(settings, `${registry.host}/app`, {})
    }
    assert.deepEqual(await through([empty.host, full.host]), ['a', 'b'])
    assert.equal(registry.asked.length, 0)
    assert.deepEqual(await through([empty.host]), ['of-registry'])
  })

  test('mirrorsOf() gives those of the hub, and of the registry that is named', () => {
    const settings = { ...defaultSettings, mirrors: ['https://m.example', 'r.example:5000=https://n.example/sub'] }
    const of = (domain: string) => mirrorsOf(domain, settings).map(String)
    assert.deepEqual(of('docker.io'), ['https://m.example/'])
    assert.deepEqual(of('r.example:5000'), ['https://n.example/sub'])
    assert.deepEqual(of('r.example'), [])
  })
})

describe('search', { skip: lacking(root()) }, () => {
  const signal = new AbortController().signal

  test('asks the registry that the term names, and shows credentials to it alone', async t => {
    const found = { name: 'team/app', description: null, star_count: 3, is_official: false, more: 'x' }
    const http = await server(t, (_, response) => response.end(JSON.stringify({ results: [found, found] })))
    const { images } = await store(t)
    const auth = { username: 'me', password: 'pass', server: http.host }
    const results = await images.search(`${http.host}/the app`, { limit: 1, auth, signal })
    const shown = { name: 'team/app', description: '', star_count: 3, is_official: false, is_automated: false }
    assert.deepEqual(results, [shown])
    await images.search(`${http.host}/x`, { limit: 1, auth: { ...auth, server: 'other.test' }, signal })
    const asked = http.asked.filter(({ url }) => url.includes('search'))
    assert.deepEqual(
      asked.map(({ url, authorization }) => [url, authorization]),
      [
        ['GET /v1/search?q=the+app&n=1', `Basic ${Buffer.from('me:pass').toString('base64')}`],
        ['GET /v1/search?q=x&n=1', undefined],
      ],
    )
  })

  test('is refused by the name of a registry that has none, or answers something else', async t => {
    for (const [code, body, kind] of [
      [404, 'none', 'unsupported'],
      [200, '<html>', 'unsupported'],
      [200, '{"results": 5}', 'unsupported'],
      [500, '', 'unavailable'],
    ] as const) {
      const http = await server(t, (_, response) => response.writeHead(code).end(body))
      const { images } = await store(t)
      const message = new RegExp(`^Cannot search registry ${http.host.replaceAll('.', '\\.')}: `)
      await assert.rejects(images.search(`${http.host}/x`, { limit: 25, signal }), { kind, message })
    }
    const { images } = await store(t)
    for (const term of ['', '127.0.0.1:1/', 'https://r.test/x', 'a b.c/x'])
      await assert.rejects(images.search(term, { limit: 25, signal }), { kind: 'invalid' }, term)
  })
})

describe('a proxy', { skip: lacking(root()) }, () => {
  test('is used for registries that are not on this machine nor excepted', async t => {
    const { parts, answer } = await imageServer()
    const proxy = await server(t, (request, response, body) => {
      const { pathname } = new URL(request.url!)
      Object.assign(request, { url: pathname })
      answer(request, response, body)
    })
    const settings = { proxy: { http: `http://${proxy.host}` }, insecure: ['r.test:5000'] }
    const { images } = await store(t, settings)
    assert.equal((await images.pull('r.test:5000/app:1')).id, parts.id)
    assert.ok(proxy.asked.some(({ url }) => url === 'GET http://r.test:5000/v2/app/manifests/1'))
    const excepted = await store(t, { ...settings, proxy: { ...settings.proxy, no: 'r.test' } })
    const before = proxy.asked.length
    await assert.rejects(excepted.images.pull('r.test:5000/app:1'), /Cannot reach registry "r.test:5000"/)
    assert.equal(proxy.asked.length, before)
  })
})

describe('login', { skip: needs }, () => {
  test('tells whether a registry takes name and password', async t => {
    await using registry = await startRegistry({ auth: true })
    const { images } = await store(t)
    const { signal } = new AbortController()
    const serveraddress = registry.host
    assert.deepEqual(await images.login({ ...registryUser, serveraddress }, signal), {
      Status: 'Login Succeeded',
      IdentityToken: '',
    })
    await assert.rejects(images.login({ username: 'alice', password: 'x', serveraddress }, signal), {
      message: `login attempt to http://${registry.host}/v2/ failed with status: 401 Unauthorized`,
    })
    await assert.rejects(images.login({ ...registryUser, serveraddress: '..:x' }, signal), {
      kind: 'invalid',
      message: /^unable to parse server address/,
    })
  })

  test('brings a token to be kept instead of the password, where the registry gives one', async t => {
    const registry = await server(t, (request, response) => {
      if (request.url!.startsWith('/token'))
        return void response.end(JSON.stringify({ token: 'now', refresh_token: 'later' }))
      if (request.headers.authorization === 'Bearer now') return void response.end('{}')
      response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="http://${request.headers.host}/token"` }).end()
    })
    const { images } = await store(t)
    const body = { username: 'u', password: 'p', serveraddress: registry.host }
    assert.equal((await images.login(body, new AbortController().signal)).IdentityToken, 'later')
    const { url } = registry.asked.find(({ url }) => url.includes('/token'))!
    assert.equal(new URLSearchParams(url.split('?')[1]).get('offline_token'), 'true')
    assert.ok(!url.includes('password') && !url.includes('=p'))
  })
})
