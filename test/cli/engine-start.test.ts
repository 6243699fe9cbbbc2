import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { startEngine } from '../../src/cli/engine-start.ts'
import { answers } from '../../src/client/answers.ts'
import { isFailure } from '../../src/lib/failure.ts'

const root = mkdtempSync(join(tmpdir(), 'tscompose-start-'))
const pids: number[] = []
after(() => {
  for (const pid of pids)
    try {
      process.kill(pid)
    } catch {
      // it has ended, as most of them do by themselves
    }
  rmSync(root, { recursive: true })
})

/** A program in the engine's place; it can say `ready(line)` and `listen()`. */
function engine(body: string) {
  const folder = mkdtempSync(join(root, 'e'))
  const main = join(folder, 'main.mjs')
  const socket = join(folder, 'engine.sock')
  writeFileSync(
    main,
    `import { writeSync, writeFileSync, openSync } from 'node:fs'
     import { createServer } from 'node:net'
     const socket = ${JSON.stringify(socket)}
     const ready = line => writeSync(3, line + '\\n')
     const listen = () => new Promise(done => createServer().listen(socket, done))
     ${body}`,
  )
  return { folder, command: [process.execPath, main] as const, socket }
}

describe('startEngine()', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
  test('returns when the engine listens, detached, with a log of its own and a clean environment', async () => {
    const { command, socket, folder } = engine(`
      await listen()
      writeFileSync(${JSON.stringify(join(root, 'seen.json'))}, JSON.stringify({ pid: process.pid, env: process.env, cwd: process.cwd() }))
      console.log('a line of the log')
      ready('ready')`)
    await startEngine({ socket, command, env: { PATH: '/bin', SECRET: 'x', HTTP_PROXY: 'p', TSCOMPOSE_POOL: 'y' } })
    const seen = JSON.parse(readFileSync(join(root, 'seen.json'), 'utf8'))
    pids.push(seen.pid)
    assert.ok(await answers(socket))
    assert.deepEqual([seen.env, seen.cwd], [{ PATH: '/bin', HTTP_PROXY: 'p', TSCOMPOSE_POOL: 'y' }, '/'])
    assert.equal(statSync(join(folder, 'engine.log')).mode & 0o777, 0o600)
    assert.equal(readFileSync(join(folder, 'engine.log'), 'utf8'), 'a line of the log\n')
    // field 6 of its stat: a session of its own, which ^C here does not reach
    assert.equal(readFileSync(`/proc/${seen.pid}/stat`, 'utf8').split(' ')[5], String(seen.pid))
  })

  test('passes on what the engine says is wrong', async () => {
    const { command, socket } = engine(
      `ready(JSON.stringify({ kind: 'unsupported', message: 'Cannot start: old kernel', hint: 'Update it' })); process.exit(1)`,
    )
    await assert.rejects(
      startEngine({ socket, command, env: {} }),
      (error: unknown) =>
        isFailure(error, 'unsupported') && error.message === 'Cannot start: old kernel' && error.hint === 'Update it',
    )
  })

  test('shows the end of the log when the engine dies without a word', async () => {
    const { command, socket } = engine(`console.error('out of luck'); process.exit(1)`)
    await assert.rejects(startEngine({ socket, command, env: {} }), /it ended before it was ready\n {2}out of luck/)
  })

  test('waits for the engine of another command that was faster', async () => {
    const { command, socket } = engine(`
      import { spawn } from 'node:child_process'
      ready(JSON.stringify({ kind: 'conflict', message: 'Cannot start: another one is there' }))
      setTimeout(async () => { await listen(); setTimeout(() => process.exit(), 3000) }, 100)`)
    await startEngine({ socket, command, env: {} })
    assert.ok(await answers(socket))
  })

  test('two at once both end with an engine', async () => {
    const { command, socket, folder } = engine(`
      import { mkdirSync } from 'node:fs'
      try { mkdirSync(${JSON.stringify(root)} + '/lock') } catch { ready(JSON.stringify({ kind: 'conflict', message: 'taken' })); process.exit(1) }
      await listen()
      setTimeout(() => process.exit(), 3000)
      ready('ready')`)
    assert.ok(folder)
    await Promise.all([1, 2].map(() => startEngine({ socket, command, env: {} })))
    assert.ok(await answers(socket))
  })
})
