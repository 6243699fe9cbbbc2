import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mend } from '../../../src/engine/containers/mend.ts'
import { eventually } from '../../support/eventually.ts'
import { EngineBox } from './engine-box.ts'

/** A container whose cgroup is being looked at when it ends; what was made again, and deleted, of its group since, in order. */
async function endingWhileMended(hold: 'before' | 'during') {
  await using box = await EngineBox.open()
  const id = await box.run('web')
  const container = box.containers.get(id)
  const { parts } = box.containers
  const done: string[] = []
  const { cgroups } = box.runtime
  const [isWhole, restore] = [cgroups.isWhole, cgroups.restore]
  const held = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  try {
    cgroups.isWhole = () => false
    cgroups.restore = async (spec, { pid }) => {
      begun.resolve()
      if (hold === 'during') await held.promise
      done.push(pid > 0 ? 'restored' : 'restored with no process of its own')
      await restore.call(cgroups, spec, { privileged: false, pid })
    }
    const { hasSandbox } = box.runtime
    if (hold === 'before') {
      // the look at the network namespace takes its time
      container.note({ sandbox: '/run/netns/held' })
      box.runtime.hasSandbox = () => false
    }
    box.runtime.onOperation = ({ kind }) => {
      if (kind === 'delete-cgroup') done.push('deleted')
    }
    const runHost = box.runtime.runHost.bind(box.runtime)
    box.runtime.runHost = async program => {
      const isHeld = program.operations.some(({ kind }) => kind === 'keep-sandbox')
      if (isHeld) {
        begun.resolve()
        await held.promise
        return
      }
      await runHost(program)
    }
    const mending = mend(parts, container)
    await begun.promise
    box.runtime.last.end(0)
    await eventually('the record of the exit', () => container.state.status === 'exited')
    // as far as it gets without what is held
    for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
    held.resolve()
    await mending
    box.runtime.hasSandbox = hasSandbox
    await container.settled
    return done
  } finally {
    Object.assign(cgroups, { isWhole, restore })
  }
}

test('a container that ends while it is looked at gets no cgroup any more', async () => {
  assert.deepEqual(await endingWhileMended('before'), ['deleted'])
})

test('a cgroup that is being made again when its container ends is deleted after that', async () => {
  assert.deepEqual(await endingWhileMended('during'), ['restored', 'deleted'])
})
