/** Who gets what of the web view. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect as dial } from 'node:net'
import { before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { WebSocket } from 'ws'
import { bundlePages } from '../../.ci/bundle-pages.ts'
import { patience } from '../support/patience.ts'
import { engineOf, roadsOf, type Served, serve } from './serving.ts'

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

const turned: unknown[] = []
const roads = () =>
  roadsOf(engineOf(), {
    here: { name: 'shop', directory: '/srv/shop', files: ['/srv/shop/compose.yaml'] },
    turn: async (place, wish) => void turned.push([place.name, wish]),
  })

/** Opens a connection; the status of what refused it, or "open". */
function connect(
  { port }: Served,
  headers: Readonly<Record<string, string>>,
  path = '/api/live',
): Promise<number | 'open'> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
    socket.on('open', () => {
      socket.close()
      resolve('open')
    })
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode!))
    socket.on('error', error => (/Unexpected server response/.test(error.message) ? undefined : reject(error)))
  })
}

describe('the web view', () => {
  before(async () => {
    // as set-up leaves it
    if (existsSync(`${root}/build/pages.json`)) return
    mkdirSync(`${root}/build`, { recursive: true })
    writeFileSync(`${root}/build/pages.json`, `//{}\n${(await bundlePages(root)).text}\n`)
  })

  test('gives nothing without a login, and says how to get one', async () => {
    await using view = await serve(roads())
    for (const path of ['/api/about', '/api/jobs', '/assets/main.js', '/api/none'])
      assert.equal((await view.get(path)).status, 401, path)
    const { status, text } = await view.get('/s/shop')
    assert.equal(status, 401)
    assert.match(text, /Not logged in/)
    assert.doesNotMatch(text, /script|shop/)
    assert.equal((await view.send('/api/stacks/shop/turn', { verb: 'stop', services: [] })).status, 401)
    assert.equal(await connect(view, { origin: `http://127.0.0.1:${view.port}` }), 401)
  })

  test('is not held up by a connection that it has refused, whatever the other side does', async () => {
    const view = await serve(roads())
    const socket = dial({ host: '127.0.0.1', port: view.port, allowHalfOpen: true })
    socket.write('GET /api/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    const [answer] = await once(socket, 'data')
    assert.match(String(answer), /^HTTP\/1\.1 40[13] /)
    // ours is open still
    const closed = view[Symbol.asyncDispose]()
    const ended = await Promise.race([closed.then(() => 'closed'), pause(5000 * patience, 'held up')])
    socket.destroy()
    assert.equal(ended, 'closed')
  })

  test('takes a token once, in exchange for a cookie that no script reads and no other site sends', async () => {
    await using view = await serve(roads())
    const wrong = await view.get('/login?token=wrong')
    assert.deepEqual([wrong.status, wrong.headers['set-cookie']], [401, undefined])
    const first = new URL(view.logins[0]!)
    const login = await view.get(first.pathname + first.search)
    assert.equal(login.status, 200)
    assert.match(String(login.headers['set-cookie']), /^tscompose-\d+=[\w-]{32}; HttpOnly; SameSite=Strict; Path=\/$/)
    assert.equal((await view.get(first.pathname + first.search)).status, 401)
    const cookie = String(login.headers['set-cookie']).split(';')[0]!
    assert.deepEqual(JSON.parse((await view.get('/api/about', { cookie })).text), {
      engine: 'unix:///fake.sock',
      readOnly: false,
      version: '0.1.0',
    })
    assert.equal((await view.get('/api/about', { cookie: `${cookie}x` })).status, 401)
    assert.equal(view.logins.length, 2)
  })

  test('gives nothing to a page of another origin, nor under a foreign name, though it has the cookie', async () => {
    await using view = await serve(roads())
    const cookie = await view.login()
    const evil = { cookie, origin: 'http://evil.example' }
    assert.equal((await view.get('/api/about', evil)).status, 403)
    assert.equal((await view.get('/api/about', { cookie, host: `evil.example:${view.port}` })).status, 403)
    assert.equal((await view.send('/api/stacks/shop/turn', { verb: 'stop', services: [] }, evil)).status, 403)
    assert.equal(await connect(view, evil), 403)
    assert.equal(await connect(view, { cookie, origin: `http://127.0.0.1:${view.port}` }), 'open')
    assert.equal(await connect(view, { cookie, origin: `http://127.0.0.1:${view.port}` }, '/containers/json'), 404)
    // a form of another site could send it, and is no JSON
    const form = { cookie, 'content-type': 'text/plain' }
    assert.equal((await view.send('/api/stacks/shop/turn', { verb: 'stop', services: [] }, form)).status, 400)
    assert.deepEqual(turned, [])
  })

  test('hands nothing of the engine through', async () => {
    await using view = await serve(roads())
    const cookie = await view.login()
    for (const path of [
      '/v1.51/containers/json',
      '/containers/json',
      '/api/../containers/json',
      '/_ping',
      '/api/containers/json',
    ]) {
      const { status, text } = await view.get(path, { cookie })
      assert.ok(status === 404 || /<div id="app">/.test(text), `${path}: ${status}`)
      assert.doesNotMatch(text, /shop-web-1/)
    }
  })

  test('goes on after requests for what is no place', async () => {
    await using view = await serve(roads())
    const cookie = await view.login()
    const origin = `http://127.0.0.1:${view.port}`
    for (const path of ['//', '//evil.example/', '/%', '/api/stacks/%ff/model', '/\\\\x']) {
      const { status } = await view.get(path, { cookie })
      assert.ok(status >= 200 && status < 500, `${path}: ${status}`)
    }
    for (const path of ['//', '//x/api/live']) assert.equal(await connect(view, { cookie, origin }, path), 404)
    assert.equal((await view.get('/api/about', { cookie })).status, 200)
  })

  test('changes nothing when it only shows', async () => {
    await using view = await serve(roads(), { readOnly: true })
    const cookie = await view.login()
    const { status, text } = await view.send('/api/stacks/shop/turn', { verb: 'stop', services: [] }, { cookie })
    assert.equal(status, 403)
    assert.match(text, /only shows/)
    // the loader would quote whatever file such a text names
    const texts = { '/srv/shop/compose.yaml': 'include: [/etc/shadow]' }
    assert.equal((await view.send('/api/stacks/shop/check', { texts }, { cookie })).status, 403)
    const shell = await connect(
      view,
      { cookie, origin: `http://127.0.0.1:${view.port}` },
      '/api/shell?container=shop-web-1',
    )
    assert.equal(shell, 403)
    assert.deepEqual(turned, [])
  })

  test('turns services by the road it is given, and tells of the job to whoever asks', async () => {
    await using view = await serve(roads())
    const cookie = await view.login()
    const { status, text } = await view.send('/api/stacks/shop/turn', { verb: 'stop', services: ['web'] }, { cookie })
    assert.equal(status, 200, text)
    assert.deepEqual(turned.splice(0), [['shop', { verb: 'stop', services: ['web'] }]])
    const jobs = JSON.parse((await view.get('/api/jobs', { cookie })).text) as { title: string; ended?: number }[]
    assert.deepEqual(
      jobs.map(({ title, ended }) => [title, ended !== undefined]),
      [['stop web', true]],
    )
    for (const body of [{ verb: 'kill', services: [] }, { verb: 'stop' }, [], null])
      assert.equal((await view.send('/api/stacks/shop/turn', body, { cookie })).status, 400)
    assert.equal((await view.send('/api/stacks/none/turn', { verb: 'stop', services: [] }, { cookie })).status, 404)
  })

  test('lets its page run nothing but its own scripts, in no frame', async () => {
    await using view = await serve(roads())
    const cookie = await view.login()
    const { headers, text } = await view.get('/', { cookie })
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[\w+/=]{24}';/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe|\*|http/)
    assert.doesNotMatch(text, /<script(?![^>]* src=)|<style| on\w+=/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    const nonces = new Set(
      [text, (await view.get('/', { cookie })).text].map(each => /nonce" content="([^"]+)/.exec(each)?.[1]),
    )
    assert.equal(nonces.size, 2)
  })

  test('sends the whole board first, then what changes', async () => {
    await using view = await serve(roads())
    const cookie = await view.login()
    const socket = new WebSocket(`ws://127.0.0.1:${view.port}/api/live`, {
      headers: { cookie, origin: `http://127.0.0.1:${view.port}` },
    })
    const message = new Promise(resolve => socket.on('message', data => resolve(JSON.parse(String(data)))))
    socket.on('open', () => socket.send(JSON.stringify({ open: 7, what: { topic: 'board' } })))
    const { on, data } = (await message) as {
      on: number
      data: { stacks: { whole: boolean; set: { name: string }[] } }
    }
    assert.deepEqual([on, data.stacks.whole, data.stacks.set.map(each => each.name)], [7, true, ['shop']])
    socket.close()
  })

  test('ends the connection of who sends what is no message', async () => {
    await using view = await serve(roads())
    const cookie = await view.login()
    for (const text of ['{', '{"open":1,"what":{"topic":"socket"}}', '[]', '{"open":"x"}']) {
      const socket = new WebSocket(`ws://127.0.0.1:${view.port}/api/live`, {
        headers: { cookie, origin: `http://127.0.0.1:${view.port}` },
      })
      const closed = new Promise<number>(resolve => socket.on('close', resolve))
      socket.on('open', () => socket.send(text))
      assert.equal(await closed, 1008, text)
    }
  })
})

test('the first page takes at most 80 KB to load', async () => {
  const pages = JSON.parse((await bundlePages(root)).text) as {
    readonly entry: string
    readonly style: string
    readonly files: Readonly<Record<string, { readonly gzip: string }>>
  }
  const bytes = (path: string) => Buffer.from(pages.files[path]!.gzip, 'base64')
  // the script, what it imports before it runs, and the style
  const needed = new Set<string>()
  const follow = (path: string) => {
    if (needed.has(path)) return
    needed.add(path)
    const text = gunzipSync(bytes(path)).toString('utf8')
    for (const [, name] of text.matchAll(/(?:import|from)\s*"\.\/([^"]+\.js)"/g)) follow(`/assets/${name}`)
  }
  follow(pages.entry)
  const size = [...needed, pages.style].reduce((sum, path) => sum + bytes(path).length, 0)
  assert.ok(size > 10_000 && size <= 80_000, `${size} bytes`)
})
