import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerState } from '../../../../src/api/containers.ts'
import type { Client } from '../../../../src/client/client.ts'
import { judge, Waiter } from '../../../../src/targets/engine/perform/wait.ts'

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

const noCheck = /^dependency failed to start: container c has no healthcheck configured$/

/** Waits for a container to be healthy whose states are looked at one after the other; `die` is told after the first. */
async function waitFor(states: readonly ContainerState[], die: boolean): Promise<void> {
  const left = [...states]
  const told = Promise.withResolvers<void>()
  const events = async function* () {
    await told.promise
    if (die) yield { Action: 'die', Actor: { ID: 'c', Attributes: {} } }
    await new Promise(() => undefined)
  }
  const client = {
    stream: async () => events(),
    call: async () => {
      told.resolve()
      return { State: left.length > 1 ? left.shift() : left[0] }
    },
  } as unknown as Client
  await new Waiter(client).wait('c', { name: 'c', service: 's', condition: 'healthy' }, new AbortController().signal)
}

test('what has no check and has only just been started may be about to end, which is the better reason', async () => {
  const young = state({ StartedAt: new Date().toISOString() })
  const ended = state({ Status: 'exited', ExitCode: 3, StartedAt: young.StartedAt })
  await assert.rejects(waitFor([young, ended], true), {
    message: 'dependency failed to start: container c exited (3)',
  })
  await assert.rejects(waitFor([young], false), { message: noCheck })
  await assert.rejects(waitFor([state({ StartedAt: new Date(0).toISOString() })], false), { message: noCheck })
})
