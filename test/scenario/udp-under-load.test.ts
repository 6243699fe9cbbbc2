/** A published UDP port passes in an update while datagrams come: whoever goes on asking from the same port is answered by the new one too. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { command } from '../support/command.ts'
import { compiled } from '../support/compiled.ts'
import { launcher, type Stack, TestEngine } from '../support/engine.ts'
import { freePort } from '../support/free-port.ts'
import { lacking, program, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { tinyImageTar } from '../support/tiny-image.ts'

const source = fileURLToPath(new URL('../support/udp-server.c', import.meta.url))
const updates = 5
const rate = 100
const burst = 20

const yaml = (tag: number, port: number): string => `services:
  echo:
    image: echo
    environment: {TAG: "${tag}"}
    ports: ["${port}:53/udp"]
    deploy: {update_config: {monitor: 100ms}}
`

describe('a published UDP port', {
  skip: lacking(root(), program('nft'), program('gcc')),
  timeout: 120_000 * patience,
}, () => {
  let engine: TestEngine
  let stack: Stack
  let port: number
  const folder = mkdtempSync(join(tmpdir(), 'tsc-udp-'))

  before(async () => {
    engine = await TestEngine.start([])
    const server = await compiled(folder, source)
    const archive = await tinyImageTar({
      tag: 'echo:latest',
      files: { 'udp-server': { content: readFileSync(server), mode: 0o755 } },
      config: { Entrypoint: ['/udp-server', '53'] },
    })
    const loaded = await command(launcher, ['image', 'load'], { input: archive, env: engine.env })
    assert.equal(loaded.code, 0, loaded.stderr)
    port = await freePort()
    stack = engine.stack(yaml(0, port))
    await stack.run('up', '-d', '--wait')
  })
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await engine.stop()
  })

  /** Asks at a fixed rate, from one port or from a new one each time, until it is told to end. */
  function ask(host: string, way: 'one flow' | 'many flows') {
    let [sent, over] = [0, false]
    const answers = new Map<number, number>()
    const sentAt: number[] = []
    let slowest = 0
    const open = () => {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
      socket.on('message', bytes => {
        const [number, tag] = bytes.toString().split(' ').map(Number)
        answers.set(number!, tag!)
        slowest = Math.max(slowest, performance.now() - sentAt[number!]!)
        if (way === 'many flows') socket.close()
      })
      return socket
    }
    const one = open()
    let began = performance.now()
    const timer = setInterval(() => {
      const behind = ((performance.now() - began) / 1000) * rate - sent
      // what a machine that had no time for us would get at once is more than the buffer of a socket takes
      if (behind > burst) began += ((behind - burst) / rate) * 1000
      for (; !over && sent < ((performance.now() - began) / 1000) * rate; sent++) {
        sentAt.push(performance.now())
        ;(way === 'one flow' ? one : open()).unref().send(String(sent), port, host)
      }
    }, 5)
    return async () => {
      over = true
      clearInterval(timer)
      // the last ones are on their way
      await pause(1000)
      one.close()
      await once(one, 'close')
      return {
        sent,
        lost: sent - answers.size,
        slowest: Math.ceil(slowest),
        last: answers.get(Math.max(...answers.keys())),
        tags: new Set(answers.values()).size,
      }
    }
  }

  test(`passes in ${updates} updates, and at most what is on its way at that moment is lost`, async t => {
    // ::1 no rule can lead: the engine relays it
    const ways = ['127.0.0.1', '::1'].flatMap(host =>
      (['one flow', 'many flows'] as const).map(way => [`${host}, ${way}`, ask(host, way)] as const),
    )
    for (let version = 1; version <= updates; version++) {
      stack.write(yaml(version, port))
      await stack.run('up', '-d')
      // whoever is new now is asked for a while
      await pause(100)
    }
    const results = await Promise.all(ways.map(async ([way, end]) => [way, await end()] as const))
    for (const [way, result] of results) t.diagnostic(`${way}, ${rate}/s: ${JSON.stringify(result)}`)
    for (const [way, { sent, lost, slowest, last, tags }] of results) {
      // a machine that is given patience is behind by more than one datagram: by as many as come in the time (ms) that its slowest answer took
      const onTheirWay = patience === 1 ? 1 : Math.ceil((slowest * rate) / 1000)
      assert.ok(lost <= updates * onTheirWay, `${way}: ${lost} of ${sent} lost, ${onTheirWay} on their way`)
      assert.deepEqual([last, tags], [updates, updates + 1], way)
    }
  })
})
