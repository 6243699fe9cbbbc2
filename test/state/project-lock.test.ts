import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { isFailure } from '../../src/lib/failure.ts'
import { type LockOptions, lockProject } from '../../src/state/project-lock.ts'
import type { Holder } from '../../src/state/seat.ts'

const host = `unix:///run/test-${process.pid}.sock`

function options(project: string, more: Partial<LockOptions> = {}): LockOptions {
  const holder = { pid: process.pid, user: 'ada', command: 'tscompose up' }
  return { host, project, holder, onWait: () => assert.fail('nobody has it'), ...more }
}

describe('lockProject()', () => {
  test('lockProject() lets a second wait until the first lets go, and tells it once who has it', async () => {
    const first = await lockProject(options('one'))
    const told = Promise.withResolvers<Holder | undefined>()
    let taken = false
    const second = lockProject(options('one', { onWait: told.resolve })).then(lock => {
      taken = true
      return lock
    })
    assert.deepEqual(await told.promise, { pid: process.pid, user: 'ada', command: 'tscompose up' })
    assert.equal(taken, false)
    await first[Symbol.asyncDispose]()
    await (await second)[Symbol.asyncDispose]()
  })

  test('lockProject() gives ten who want it a turn each', async () => {
    let inside = 0
    const turns = Array.from({ length: 10 }, async () => {
      await using _ = await lockProject(options('ten', { onWait: () => {} }))
      assert.equal(++inside, 1)
      await new Promise(resolve => setImmediate(resolve))
      inside--
    })
    await Promise.all(turns)
  })

  test('lockProject() keeps projects and engines apart', async () => {
    await using _a = await lockProject(options('apart'))
    await using _b = await lockProject(options('other'))
    await using _c = await lockProject(options('apart', { host: 'tcp://127.0.0.1:1' }))
  })

  test('lockProject() is free again when its holder was killed', async () => {
    const child = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `const { lockProject } = await import(${JSON.stringify(new URL('../../src/state/project-lock.ts', import.meta.url).href)})
       const holder = { pid: process.pid, user: 'bob', command: 'tscompose down' }
       await lockProject({ host: ${JSON.stringify(host)}, project: 'killed', holder, onWait() {} })
       console.log('held')
       setInterval(() => {}, 1000)`,
    ])
    const [line] = await once(createInterface(child.stdout), 'line')
    assert.equal(line, 'held')
    const told = Promise.withResolvers<Holder | undefined>()
    const waiting = lockProject(options('killed', { onWait: told.resolve }))
    assert.equal((await told.promise)?.user, 'bob')
    child.kill('SIGKILL')
    await (await waiting)[Symbol.asyncDispose]()
  })

  test('lockProject() ends its waiting at an interrupt', async () => {
    await using _ = await lockProject(options('stopped'))
    const stop = new AbortController()
    const waiting = lockProject(options('stopped', { onWait: () => stop.abort(), signal: stop.signal }))
    await assert.rejects(waiting, error => isFailure(error, 'cancelled'))
  })

  test('lockProject() tells nothing of a holder who says what is no word of ours', async () => {
    // the name as lockProject makes it, found by looking at who listens
    const lock = await lockProject(options('liar'))
    const { readFileSync } = await import('node:fs')
    const names = () => new Set(readFileSync('/proc/net/unix', 'utf8').match(/@tscompose\/[0-9a-f]{32}/g))
    const before = names()
    await lock[Symbol.asyncDispose]()
    const name = [...before].find(each => !names().has(each))!
    const liar = createServer(socket => socket.write(`${'x'.repeat(5000)}\n`))
    liar.listen(`\0${name.slice(1)}`)
    await once(liar, 'listening')
    const told = Promise.withResolvers<Holder | undefined>()
    const stop = new AbortController()
    const waiting = lockProject(options('liar', { onWait: told.resolve, signal: stop.signal }))
    assert.equal(await told.promise, undefined)
    stop.abort()
    await assert.rejects(waiting)
    liar.close()
  })
})
