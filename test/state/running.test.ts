import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { isRunning, markOf } from '../../src/state/running.ts'

test('isRunning() tells a process from one that has ended', async () => {
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  const mark = markOf(child.pid!)
  assert.equal(isRunning(mark), true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(isRunning(mark), false)
})

test('isRunning() does not take another process of the same pid for it', () => {
  const mark = markOf(process.pid)
  assert.equal(isRunning(mark), true)
  assert.equal(isRunning({ ...mark, start: mark.start!.replace(/\d+$/, '1') }), false)
})

test('isRunning() does not know a process that was never there', () => {
  assert.equal(isRunning(markOf(4_194_305)), false)
})
