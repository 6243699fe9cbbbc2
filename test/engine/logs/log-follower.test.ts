import assert from 'node:assert/strict'
import { appendFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { LogFollower, type Place } from '../../../src/engine/logs/log-follower.ts'
import { temporaryFolder } from '../../support/temporary-paths.ts'

const line = (log: string, time = `time of ${log}`) => `${JSON.stringify({ log, stream: 'stdout', time })}\n`

class Log {
  readonly path: string
  lost = 0
  follower: LogFollower
  place: Place | undefined

  constructor(t: TestContext) {
    this.path = join(temporaryFolder(t), 'x-json.log')
    this.follower = this.#follow(undefined)
    t.after(() => this.follower.close())
  }

  #follow(start: Place | undefined): LogFollower {
    return new LogFollower(this.path, { start, onLost: () => this.lost++ })
  }

  /** Another one that begins where this one is. */
  async again(): Promise<void> {
    await this.follower.close()
    this.follower = this.#follow(this.place)
  }

  append(...logs: readonly string[]): void {
    appendFileSync(this.path, logs.map(log => line(log)).join(''))
  }

  /** As the monitor does it. */
  rotate(files = 3): void {
    for (let i = files - 1; i > 0; i--)
      try {
        renameSync(i > 1 ? `${this.path}.${i - 1}` : this.path, `${this.path}.${i}`)
      } catch {
        // not that many yet
      }
    writeFileSync(this.path, '')
  }

  /** All there is now. */
  async read(): Promise<string[]> {
    const texts: string[] = []
    for (;;) {
      const records = await this.follower.next()
      if (!records) return texts
      this.place = records.at(-1)?.place
      texts.push(...records.map(({ record }) => record.text))
    }
  }
}

test('a follower reads what is there and what comes, and waits for a log that is not there yet', async t => {
  const log = new Log(t)
  assert.deepEqual(await log.read(), [])
  log.append('a', 'b')
  assert.deepEqual(await log.read(), ['a', 'b'])
  assert.deepEqual(await log.read(), [])
  log.append('c')
  assert.deepEqual(await log.read(), ['c'])
})

test('a follower goes over rotations, also over several at once, and reads no line twice', async t => {
  const log = new Log(t)
  log.append('a')
  assert.deepEqual(await log.read(), ['a'])
  log.append('b')
  log.rotate()
  log.append('c')
  log.rotate()
  assert.deepEqual(await log.read(), ['b', 'c'])
  log.append('d')
  assert.deepEqual(await log.read(), ['d'])
  assert.equal(log.lost, 0)
})

test('a follower that is between two files does not begin again', async t => {
  const log = new Log(t)
  log.append('a')
  await log.read()
  renameSync(log.path, `${log.path}.1`)
  assert.deepEqual(await log.read(), [])
  log.append('b')
  assert.deepEqual(await log.read(), ['b'])
})

test('a follower goes on where another one was, in a file that was moved since', async t => {
  const log = new Log(t)
  log.append('a', 'b')
  await log.read()
  log.append('c')
  log.rotate()
  log.append('d')
  await log.again()
  assert.deepEqual(await log.read(), ['c', 'd'])
  assert.equal(log.lost, 0)
})

test('a follower tells when lines were rotated away before it came', async t => {
  const log = new Log(t)
  log.append('a')
  await log.read()
  for (const text of ['b', 'c', 'd', 'e']) {
    log.append(text)
    log.rotate()
  }
  assert.deepEqual(await log.read(), ['b', 'd', 'e'])
  assert.equal(log.lost, 1)
})

test('a place in a file that is another one by now is no place', async t => {
  const log = new Log(t)
  log.append('a', 'b')
  await log.read()
  const { inode } = log.place!
  writeFileSync(log.path, line('x') + line('y') + line('z'))
  assert.equal(statSync(log.path).ino, inode)
  await log.again()
  assert.deepEqual(await log.read(), ['x', 'y', 'z'])
  assert.equal(log.lost, 1)
})

test('half a line waits for its end, and one that was cut away again is forgotten', async t => {
  const log = new Log(t)
  log.append('a')
  appendFileSync(log.path, line('b').slice(0, 10))
  assert.deepEqual(await log.read(), ['a'])
  appendFileSync(log.path, line('b').slice(10))
  assert.deepEqual(await log.read(), ['b'])
  appendFileSync(log.path, line('c').slice(0, 12))
  assert.deepEqual(await log.read(), [])
  truncateSync(log.path, statSync(log.path).size - 12)
  assert.deepEqual(await log.read(), [])
  log.append('d')
  assert.deepEqual(await log.read(), ['d'])
})

test('more() waits until something is written, and no longer than its signal', async t => {
  const log = new Log(t)
  log.append('a')
  await log.read()
  const stop = new AbortController()
  let over = false
  const waiting = log.follower.more(stop.signal).then(() => {
    over = true
  })
  await new Promise(resolve => setTimeout(resolve, 50))
  assert.equal(over, false)
  log.append('b')
  await waiting
  assert.deepEqual(await log.read(), ['b'])
  stop.abort()
  await log.follower.more(stop.signal)
  rmSync(log.path)
})
