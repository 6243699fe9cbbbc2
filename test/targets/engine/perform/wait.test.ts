import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerState } from '../../../../src/api/containers.ts'
import { judge } from '../../../../src/targets/engine/perform/wait.ts'

function state(own: object): ContainerState {
  const rest = { Running: true, Restarting: false, OOMKilled: false, ExitCode: 0, Error: '' }
  return { Status: 'running', ...rest, ...own } as ContainerState
}

const rows = [
  ['healthy', { Health: { Status: 'healthy' } }, 'healthy'],
  ['healthy', { Health: { Status: 'starting' } }, undefined],
  ['healthy', {}, 'dependency failed to start: container c has no healthcheck configured'],
  ['healthy', { Status: 'exited', ExitCode: 0 }, 'dependency failed to start: container c exited (0)'],
  ['healthy', { Status: 'restarting', ExitCode: 1 }, undefined],
  ['healthy', { Health: { Status: 'unhealthy', Log: null } }, 'dependency failed to start: container c is unhealthy'],
  ['completed', {}, undefined],
  ['completed', { Status: 'exited', ExitCode: 0 }, 'exited'],
  ['completed', { Status: 'exited', ExitCode: 2 }, `service "s" didn't complete successfully: exit 2`],
  [
    'completed',
    { Status: 'exited', ExitCode: 137, OOMKilled: true },
    `service "s" didn't complete successfully: exit 137, out of memory`,
  ],
  ['ready', {}, 'running'],
  ['ready', { Health: { Status: 'none' } }, 'running'],
  ['ready', { Health: { Status: 'starting' } }, undefined],
  ['ready', { Health: { Status: 'unhealthy', Log: null } }, 'container c is unhealthy'],
  ['ready', { Status: 'exited', ExitCode: 0 }, 'exited'],
  ['ready', { Status: 'exited', ExitCode: 1 }, 'container c exited (1)'],
  ['ready', { Status: 'restarting', ExitCode: 0 }, undefined],
  ['ready', { Status: 'created' }, undefined],
  ['ready', { Status: 'removing' }, 'container c is being removed'],
  ['ready', { Status: 'exited', ExitCode: 127, Error: 'no such file' }, 'container c exited (127): no such file'],
] as const

for (const [condition, own, expected] of rows)
  test(`judge() takes ${JSON.stringify(own)} for ${condition}: ${expected}`, () => {
    const verdict = judge(state(own), condition)
    assert.equal(typeof verdict === 'object' ? verdict.because('c', 's') : verdict, expected)
  })
