import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Forwarder } from '../../../../src/engine/logs/forward/forwarder.ts'
import { PositionFile } from '../../../../src/engine/logs/forward/position.ts'
import type { Sender } from '../../../../src/engine/logs/forward/sender.ts'
import { Failure } from '../../../../src/lib/failure.ts'
import { eventually } from '../../../support/eventually.ts'
import { temporaryFolder } from '../../../support/temporary-paths.ts'

/** A log, a server of the test's own, and forwarders between them, one after the other. */
class World {
  readonly log: string
  position: string
  readonly said: string[] = []
  readonly sent: string[] = []
  connections = 0
  /** What becomes of a message before it counts as sent. */
  take: (text: string) => Promise<void> = async () => undefined
  forwarder: Forwarder | undefined
  #end = Promise.withResolvers<void>()

  constructor(t: TestContext) {
    const folder = temporaryFolder(t)
    this.log = join(folder, 'x-json.log')
    this.position = join(folder, 'forward.json')
    writeFileSync(this.log, '')
    t.after(() => this.forwarder?.close())
  }

  append(...logs: readonly string[]): void {
    const records = logs.map(log => JSON.stringify({ log: `${log}\n`, stream: 'stdout', time: '2026-01-01T00:00:00Z' }))
    appendFileSync(this.log, records.map(each => `${each}\n`).join(''))
  }

  start(): Forwarder {
    this.#end = Promise.withResolvers()
    this.forwarder = new Forwarder({
      name: 'web',
      container: 'c',
      log: this.log,
      position: new PositionFile(this.position),
      route: { to: 'udp://server:1', unchecked: false, connect: async () => this.#connect() },
      sender: undefined,
      ended: this.#end.promise,
      say: text => this.said.push(text),
    })
    return this.forwarder
  }

  end(): void {
    this.#end.resolve()
  }

  #connect(): Sender {
    this.connections++
    return {
      send: async ({ text }) => {
        await this.take(text)
        this.sent.push(text)
      },
      close: async () => undefined,
    }
  }
}

test('a forwarder sends every line in order, over one connection, and is done when all is written and sent', async t => {
  const world = new World(t)
  world.append('a', 'b')
  const forwarder = world.start()
  await eventually('b', async () => world.sent.includes('b'))
  world.append('c')
  world.end()
  await forwarder.done
  assert.deepEqual(world.sent, ['a', 'b', 'c'])
  assert.equal(world.connections, 1)
  assert.deepEqual(world.said, [])
})

test('a forwarder that has nothing to send connects to nobody', async t => {
  const world = new World(t)
  const forwarder = world.start()
  world.end()
  await forwarder.done
  assert.equal(world.connections, 0)
})

test('a line that is being sent when the engine is killed is sent again, those before it are not', async t => {
  const world = new World(t)
  world.append('a', 'b', 'c')
  const stuck = Promise.withResolvers<void>()
  world.take = text => (text === 'b' ? stuck.promise : Promise.resolve())
  const killed = world.start()
  await eventually('a', async () => world.sent.includes('a'))
  // a killed engine writes nothing any more: what is on disk now is all that the next one has
  await killed.close()
  world.take = async () => undefined
  const next = world.start()
  world.end()
  await next.done
  assert.deepEqual(world.sent, ['a', 'b', 'c'])
})

test('what has been sent is on disk before the next line is sent', async t => {
  const world = new World(t)
  world.append('a', 'b', 'c')
  const offsets: number[] = []
  world.take = async () => {
    const file = new PositionFile(world.position)
    offsets.push(file.read()?.offset ?? 0)
    file.close()
  }
  const forwarder = world.start()
  world.end()
  await forwarder.done
  const each = offsets[1]!
  assert.deepEqual(offsets, [0, each, 2 * each])
})

test('a connection that breaks is made anew, nothing is lost, and it is told once', async t => {
  const world = new World(t)
  world.append('a', 'b')
  let left = 2
  world.take = async text => {
    if (text === 'b' && left-- > 0) throw new Error('connection refused')
  }
  const forwarder = world.start()
  await eventually('the failure', async () => forwarder.failing)
  world.end()
  await forwarder.done
  assert.deepEqual(world.sent, ['a', 'b'])
  assert.equal(world.connections, 3)
  assert.deepEqual(world.said, [
    'Cannot send the log of "web" to udp://server:1: connection refused; it waits and is tried again',
    'The log of "web" is sent to udp://server:1 again',
  ])
})

test('a line that can never be sent keeps nobody from sending the next', async t => {
  const world = new World(t)
  world.append('a', 'huge', 'b')
  world.take = async text => {
    if (text === 'huge') throw new Failure('invalid', '99999 bytes are more than a datagram holds')
  }
  const forwarder = world.start()
  world.end()
  await forwarder.done
  assert.deepEqual(world.sent, ['a', 'b'])
  assert.deepEqual(world.said, [
    'A line of the log of "web" cannot be sent: 99999 bytes are more than a datagram holds',
  ])
})

test('a server that takes nothing does not keep a forwarder from closing', async t => {
  const world = new World(t)
  world.append('a')
  let asked = false
  world.take = () => {
    asked = true
    return new Promise(() => undefined)
  }
  const forwarder = world.start()
  await eventually('the line is on its way', async () => asked)
  await forwarder.close()
  assert.deepEqual(world.sent, [])
})

test('a position that the disk does not take keeps nothing from being sent, and is told once', async t => {
  const world = new World(t)
  world.position = join(dirname(world.log), 'nonesuch', 'forward.json')
  world.append('a', 'b', 'c')
  const forwarder = world.start()
  world.end()
  await forwarder.done
  assert.deepEqual(world.sent, ['a', 'b', 'c'])
  assert.equal(world.said.length, 1)
  assert.match(world.said[0]!, /^Cannot write down how much of the log of "web" is sent: ENOENT/)
})

test('a log that cannot be read is tried again, from where it was sent', async t => {
  const world = new World(t)
  world.append('a')
  const forwarder = world.start()
  await eventually('a', async () => world.sent.includes('a'))
  renameSync(world.log, `${world.log}.1`)
  mkdirSync(world.log)
  await eventually('the failure', async () => world.said.length > 0)
  rmdirSync(world.log)
  renameSync(`${world.log}.1`, world.log)
  world.append('b')
  world.end()
  await forwarder.done
  assert.deepEqual(world.sent, ['a', 'b'])
  assert.equal(world.said.length, 1)
  assert.match(world.said[0]!, /^Cannot read the log of "web" to send it: EISDIR.*; it is tried again$/)
  assert.ok(forwarder.complete)
})

test('a position that is none is told of, and all is sent again', async t => {
  for (const text of ['{"version":1', '[]', '{"version":2,"inode":1,"offset":1,"time":"","open":{}}']) {
    const world = new World(t)
    writeFileSync(world.position, text)
    world.append('a')
    const forwarder = world.start()
    world.end()
    await forwarder.done
    assert.deepEqual(world.sent, ['a'])
    assert.match(
      world.said.join('\n'),
      /^Cannot tell how much of the log of "web" was sent, so all of it is sent again: /,
    )
  }
})
