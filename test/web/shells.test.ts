/** Terminals of the web view: a shell that outlives the page that lost its connection. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { WebSocket } from 'ws'
import type { Client } from '../../src/client/client.ts'
import { eventually } from '../support/eventually.ts'
import { engineOf, roadsOf, type Served, serve } from './serving.ts'

interface Shell {
  readonly client: Client
  readonly typed: string[]
  readonly sizes: unknown[]
  print(text: string): void
  end(): void
}

/** `begun`: the shell is not there before. */
function shell(
  labels: Readonly<Record<string, string>> = { 'com.docker.compose.project': 'shop' },
  begun: Promise<void> = Promise.resolve(),
): Shell {
  const output = new PassThrough({ objectMode: true })
  const socket = new PassThrough()
  const typed: string[] = []
  const sizes: unknown[] = []
  socket.on('data', data => typed.push(String(data)))
  const client = engineOf({
    containerInspect: () => ({ Id: 'c1', Config: { Labels: labels } }),
    execCreate: () => ({ Id: 'e1' }),
    execResize: ({ query }: { query: unknown }) => void sizes.push(query),
    execInspect: () => ({ ExitCode: 3 }),
  })
  const hijack = async () => {
    await begun
    return { tty: true, output, socket }
  }
  Object.assign(client, { hijack })
  return {
    client,
    typed,
    sizes,
    print: text => void output.write({ stream: 'stdout', data: Buffer.from(text) }),
    end: () => void output.end(),
  }
}

async function open(view: Served, query: string) {
  const headers = { cookie: await view.login(), origin: `http://127.0.0.1:${view.port}` }
  const socket = new WebSocket(`ws://127.0.0.1:${view.port}/api/shell?${query}`, { headers })
  const told: Record<string, unknown>[] = []
  let printed = ''
  const closed = new Promise<number>(resolve => socket.on('close', resolve))
  let heard = Promise.withResolvers<void>()
  socket.on('message', (data, isBinary) => {
    if (isBinary) printed += String(data)
    else told.push(JSON.parse(String(data)) as Record<string, unknown>)
    heard.resolve()
    heard = Promise.withResolvers()
  })
  return {
    socket,
    told,
    closed,
    async until(what: (said: { readonly printed: string; readonly told: typeof told }) => boolean) {
      while (!what({ printed, told })) await heard.promise
    },
    get printed() {
      return printed
    },
  }
}

describe('a terminal of the web view', () => {
  test('passes on what is typed and printed, and the size of its place', async () => {
    const { client, typed, sizes, print, end } = shell()
    await using view = await serve(roadsOf(client))
    const page = await open(view, 'container=shop-web-1')
    await page.until(({ told }) => told.length === 1)
    page.socket.send(JSON.stringify({ resize: [40, 120] }))
    page.socket.send(Buffer.from('ls\n'))
    page.socket.send('{"resize":["x"]}')
    page.socket.send('{')
    print('file\r\n')
    await page.until(({ printed }) => printed === 'file\r\n')
    await eventually('what is typed to arrive', () => typed.length > 0 && sizes.length > 0)
    end()
    await page.closed
    assert.deepEqual(page.told[1], { ended: 3 })
    assert.deepEqual(typed, ['ls\n'])
    assert.deepEqual(sizes, [{ h: '40', w: '120' }])
  })

  test('hears what the page says before the shell is there', async () => {
    const begun = Promise.withResolvers<void>()
    const { client, typed, sizes } = shell(undefined, begun.promise)
    await using view = await serve(roadsOf(client))
    const page = await open(view, 'container=shop-web-1')
    await new Promise(resolve => page.socket.on('open', resolve))
    page.socket.send(JSON.stringify({ resize: [40, 120] }))
    page.socket.send(Buffer.from('ls\n'))
    // as long as it takes to come
    await new Promise(resolve => setTimeout(resolve, 200))
    begun.resolve()
    await eventually('what was said to arrive', () => typed.length > 0 && sizes.length > 0)
    assert.deepEqual([typed, sizes], [['ls\n'], [{ h: '40', w: '120' }]])
    page.socket.close()
  })

  test('goes on when its connection is lost: who comes again is told what was printed', async () => {
    const { client, print } = shell()
    await using view = await serve(roadsOf(client))
    const first = await open(view, 'container=shop-web-1')
    await first.until(({ told }) => told.length === 1)
    print('one ')
    await first.until(({ printed }) => printed === 'one ')
    first.socket.terminate()
    await first.closed
    print('two')
    const id = String(first.told[0]!['shell'])
    const second = await open(view, `container=shop-web-1&shell=${id}`)
    await second.until(({ printed }) => printed === 'one two')
    assert.deepEqual(second.told, [{ shell: id }])
    const third = await open(view, `container=shop-web-1&shell=${id}`)
    assert.equal(await second.closed, 4000)
    third.socket.close()
  })

  test('is refused in a container of no stack', async () => {
    const { client } = shell({})
    await using view = await serve(roadsOf(client))
    const page = await open(view, 'container=other')
    await page.closed
    assert.match(String(page.told[0]!['error']), /belongs to no stack/)
  })
})
