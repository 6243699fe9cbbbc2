import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../../src/lib/failure.ts'
import { EnginePlan } from '../../../../src/targets/engine/engine-plan.ts'
import { FakeClient } from '../fake-client.ts'
import { on, run } from '../plans.ts'

test('run() waits for the end of an init container that is being removed already, as one that was interrupted while it started', async () => {
  const said: string[] = []
  const stop = new AbortController()
  const client: FakeClient = new FakeClient({
    containerCreate: () => ({ Id: 'i', Warnings: [] }),
    containerAttach: async function* () {},
    containerStart: () => stop.abort(),
    containerRemove: () => {
      said.push('asked')
      // Docker's words; the first is asked for by whoever interrupts, and answered when it has gone
      if (said.length === 1) throw new Failure('conflict', 'cannot remove container: it has just been started')
      if (said.length === 2) {
        setTimeout(() => client.emit('i', 'destroy'), 30)
        throw new Failure('conflict', 'removal of container i is already in progress')
      }
      throw new Failure('not-found', 'No such container: i')
    },
  })
  const plan = new EnginePlan()
  const body = { Image: 'busybox' }
  plan.add({
    kind: 'run-init',
    once: true,
    platform: undefined,
    body,
    late: [],
    files: [],
    ...on('web'),
    service: 'web',
  })
  await assert.rejects(run(plan, client, { signal: stop.signal }), /Interrupted/)
  assert.equal(said.length, 3)
})
