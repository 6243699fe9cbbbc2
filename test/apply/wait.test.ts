import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerState } from '../../src/api/containers.ts'
import { judge } from '../../src/apply/wait.ts'

const once = { restarts: false }
const always = { restarts: true }

function state(own: object): ContainerState {
  const rest = { Running: true, Restarting: false, OOMKilled: false, ExitCode: 0, Error: '' }
  return { Status: 'running', ...rest, ...own } as ContainerState
}

const rows = [
  ['healthy', once, { Health: { Status: 'healthy' } }, true],
  ['healthy', once, { Health: { Status: 'starting' } }, false],
  ['healthy', once, {}, 'has no healthcheck'],
  ['healthy', once, { Status: 'exited', ExitCode: 0 }, 'exited with code 0'],
  ['healthy', always, { Status: 'restarting', ExitCode: 1 }, false],
  ['healthy', once, { Health: { Status: 'unhealthy', Log: null } }, 'is unhealthy'],
  ['completed', once, {}, false],
  ['completed', once, { Status: 'exited', ExitCode: 0 }, true],
  ['completed', once, { Status: 'exited', ExitCode: 2 }, 'exited with code 2'],
  ['completed', once, { Status: 'exited', ExitCode: 137, OOMKilled: true }, 'exited with code 137 (out of memory)'],
  ['ready', once, {}, true],
  ['ready', once, { Health: { Status: 'none' } }, true],
  ['ready', once, { Health: { Status: 'starting' } }, false],
  ['ready', once, { Status: 'exited', ExitCode: 0 }, true],
  ['ready', always, { Status: 'exited', ExitCode: 0 }, 'exited with code 0'],
  ['ready', once, { Status: 'created' }, false],
  ['ready', once, { Status: 'exited', ExitCode: 127, Error: 'no such file' }, 'exited with code 127: no such file'],
] as const

for (const [condition, restarts, own, verdict] of rows)
  test(`judge() takes ${JSON.stringify(own)} for ${condition}${restarts.restarts ? ', restarted' : ''}: ${verdict}`, () => {
    assert.equal(judge(state(own), { condition, ...restarts }), verdict)
  })
