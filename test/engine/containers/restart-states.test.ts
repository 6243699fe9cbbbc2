import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownStatus } from '../../../src/engine/containers/state.ts'
import { eventually } from '../../support/eventually.ts'
import { EngineBox } from './engine-box.ts'

test('a container that its policy restarts is restarting or running at every step between two runs, never exited', async () => {
  await using box = await EngineBox.open()
  const id = await box.create('job', { HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } } })
  const container = box.containers.get(id)
  const seen: string[] = []
  const look = (step: string) => seen.push(`${step}: ${shownStatus(container.state)}`)
  // whatever the engine does between two runs, somebody looks right then
  box.runtime.onOperation = ({ kind }) => look(kind)
  box.runtime.onStart = () => look('the program runs')
  box.engine.events.listen(({ action }) => look(action))
  await box.containers.start(id)
  seen.length = 0
  for (const run of [1, 2]) {
    let looking = true
    const always = (): void => {
      look('in between')
      if (looking) setImmediate(always)
    }
    box.runtime.last.end(1)
    // the exit is recorded by what comes next; from then on, all the time
    await eventually('the record of the exit', () => container.state.exitCode === 1 && container.state.pid === 0)
    always()
    await eventually('the next run', () => container.state.status === 'running' && container.state.restartCount === run)
    looking = false
  }
  assert.deepEqual(
    [...new Set(seen)].filter(line => !/: (restarting|running)$/.test(line)),
    [],
  )
  for (const step of ['delete-cgroup', 'die', 'the program runs', 'start', 'in between'])
    assert.ok(
      seen.some(line => line.startsWith(step)),
      `nobody looked at ${step}`,
    )
  box.runtime.last.end(1)
  await eventually('the last exit', () => container.state.status === 'exited')
  assert.equal(container.state.restartCount, 2)
})
