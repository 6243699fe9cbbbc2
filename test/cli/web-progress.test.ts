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

test('jobMessages() tells of builds why a step was not cached', () => {
  const build = (more: object) =>
    jobMessages(
      line({
        event: 'build',
        operation: 'build-image',
        name: 'shop-web',
        build: { kind: 'step', step: 'sha256:1', name: 'RUN x', cached: false, ...more },
      }),
    )
  const step = { image: 'shop-web', step: 'sha256:1', name: 'RUN x' }
  assert.deepEqual(build({}), [{ kind: 'build', build: { ...step, state: 'waiting' } }])
  assert.deepEqual(build({ cached: true }), [{ kind: 'build', build: { ...step, state: 'cached' } }])
  assert.deepEqual(build({ started: 10, completed: 25.4, missed: 'a.txt changed' }), [
    { kind: 'build', build: { ...step, state: 'done', missed: 'a.txt changed', milliseconds: 15 } },
  ])
})

test('jobMessages() takes any other line for something that is said', () => {
  assert.deepEqual(jobMessages('Going back to 3'), [{ kind: 'said', text: 'Going back to 3' }])
  assert.deepEqual(jobMessages('{"a":1}'), [{ kind: 'said', text: '{"a":1}' }])
  assert.deepEqual(jobMessages('{'), [{ kind: 'said', text: '{' }])
})
