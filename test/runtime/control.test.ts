/** The connection to a monitor. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Control } from '../../src/runtime/control.ts'

test('a monitor that has no room for another one who waits is tried again, until it lets them in', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-control-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const listen = `require('net').createServer().listen({ path: 'control.sock', backlog: 1 }, () => console.log('there'))`
  const monitor = spawn(process.execPath, ['-e', listen], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => monitor.kill('SIGKILL'))
  await once(monitor.stdout, 'data')
  monitor.kill('SIGSTOP')
  // until the kernel takes no more of them
  const others: Socket[] = []
  for (let code: unknown; code === undefined; ) {
    const socket = connect(join(folder, 'control.sock'))
    others.push(socket)
    code = await new Promise(resolve => socket.once('connect', () => resolve(undefined)).once('error', resolve))
  }
  t.after(() => {
    for (const socket of others) socket.destroy()
  })
  const reached = Control.to(folder)
  assert.equal(await Promise.race([reached, pause(50, 'waits')]), 'waits')
  monitor.kill('SIGCONT')
  const control = await reached
  assert.ok(control)
  control.close()
})

test('there is none where nobody listens', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-control-'))
  t.after(() => rmSync(folder, { recursive: true }))
  assert.equal(await Control.to(folder), undefined)
  assert.equal(await Control.to(join(folder, 'gone')), undefined)
})
