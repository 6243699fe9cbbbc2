import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Live } from '../../../../src/targets/kubernetes/live.ts'
import type { JsonMap, Manifest } from '../../../../src/targets/kubernetes/manifest.ts'
import type { Verdict } from '../../../../src/targets/kubernetes/observed.ts'
import { Rehearsal } from '../../../../src/targets/kubernetes/plan/rehearsal.ts'

const lost: Verdict = { kind: 'same', lost: ['stop_signal'] }
const workload = (name: string, container: JsonMap): Manifest => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'n', labels: {} },
  spec: { template: { spec: { containers: [{ name, ...container }] } } },
})
/** As the server has kept it. */
const live = (name: string, container: JsonMap): Live => ({ ...workload(name, container), metadata: { name } })

test('what a server drops is asked of one object of a kind, and holds for those that lack the same', async () => {
  const fields = new Rehearsal('each')
  const asked: string[] = []
  const verdictOf = (name: string, container: JsonMap, has: JsonMap, says: Verdict = lost) =>
    fields.verdictOf(workload(name, container), live(name, has), async () => {
      asked.push(name)
      return says
    })
  const wants = { image: 'i', lifecycle: { stopSignal: 'SIGKILL' } }
  const all = await Promise.all(['a', 'b', 'c'].map(name => verdictOf(name, wants, { image: 'i' })))
  assert.deepEqual([all, asked], [[lost, lost, lost], ['a']])
  // another field is another question, and so is a value that differs
  await verdictOf('d', { ...wants, tty: true }, { image: 'i' })
  await verdictOf('e', { ...wants, image: 'j' }, { image: 'i' })
  assert.deepEqual(asked, ['a', 'd', 'e'])
})

test('what a server would keep, or could not be asked, tells nothing of others', async () => {
  const changed: Verdict = { kind: 'changed', changes: [] }
  const wants = { image: 'i', tty: true }
  const kept = new Rehearsal('each')
  let asked = 0
  const ask = async () => {
    asked++
    return changed
  }
  for (const name of ['a', 'b']) await kept.verdictOf(workload(name, wants), live(name, { image: 'i' }), ask)
  assert.equal(asked, 2)
  const broken = new Rehearsal('each')
  const first = broken.verdictOf(workload('a', wants), live('a', { image: 'i' }), async () => {
    throw new Error('gone')
  })
  const second = broken.verdictOf(workload('b', wants), live('b', { image: 'i' }), ask)
  await assert.rejects(first, /gone/)
  assert.equal(await second, changed)
  // one that is not there has nothing to compare
  await broken.verdictOf(workload('c', wants), undefined, ask)
  assert.equal(asked, 4)
})
