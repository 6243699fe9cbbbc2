import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobMessages } from '../../src/cli/web-progress.ts'

const line = (more: object) =>
  JSON.stringify({ version: 1, node: 3, operation: 'start-container', name: 'shop-web-1', cause: 'x', ...more })

test('jobMessages() makes steps of lines of --progress json', () => {
  const step = { node: 3, operation: 'start-container', name: 'shop-web-1' }
  assert.deepEqual(jobMessages(line({ event: 'started', service: 'web' })), [
    { kind: 'step', step: { ...step, service: 'web', state: 'running' } },
  ])
  assert.deepEqual(jobMessages(line({ event: 'done', outcome: 'healthy', milliseconds: 12 })), [
    { kind: 'step', step: { ...step, state: 'done', text: 'healthy', milliseconds: 12 } },
  ])
  assert.deepEqual(jobMessages(line({ event: 'failed', error: 'no', milliseconds: 1 })), [
    { kind: 'step', step: { ...step, state: 'failed', text: 'no', milliseconds: 1 } },
  ])
})

test('jobMessages() tells of a build which step it is at', () => {
  const given = { operation: 'build-image', name: 'shop-web' }
  const build = (more: object) =>
    jobMessages(line({ ...given, event: 'build', build: { kind: 'step', step: 'sha256:1', name: 'RUN x', ...more } }))
  assert.deepEqual(build({}), [])
  assert.deepEqual(build({ started: 10 }), [
    { kind: 'step', step: { node: 3, ...given, state: 'running', text: 'RUN x' } },
  ])
  assert.deepEqual(build({ started: 10, completed: 25.4 }), [])
  assert.deepEqual(build({ kind: 'warning', text: 'odd' }), [{ kind: 'said', text: 'shop-web: odd' }])
})

test('jobMessages() takes any other line for something that is said', () => {
  assert.deepEqual(jobMessages('Going back to 3'), [{ kind: 'said', text: 'Going back to 3' }])
  assert.deepEqual(jobMessages('{"a":1}'), [{ kind: 'said', text: '{"a":1}' }])
  assert.deepEqual(jobMessages('{'), [{ kind: 'said', text: '{' }])
})
