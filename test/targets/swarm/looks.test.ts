import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../src/lib/failure.ts'
import { Looks, pauseBefore } from '../../../src/targets/swarm/perform/looks.ts'
import { fakeClient } from '../../cli/fake-client.ts'
import { eventually } from '../../support/eventually.ts'

const never = new AbortController().signal
const swarm = () => {
  const lists = { serviceList: () => [], taskList: () => [], nodeList: () => [] }
  return fakeClient(lists)
}

test('all who wait share a look, and who asks while one is under way has the next', async () => {
  const client = swarm()
  const looks = new Looks(client, 'shop')
  const next = () => looks.next('services', never)
  const [first, second] = await Promise.all([next(), next(), looks.next('nodes', never)])
  assert.equal(first, second)
  assert.deepEqual(client.asked.map(({ name }) => name).sort(), ['nodeList', 'serviceList', 'taskList'])
  client.asked.length = 0
  await looks.next('nodes', never)
  assert.deepEqual(client.asked.map(({ name }) => name).sort(), ['nodeList', 'taskList'])
  const under = Promise.withResolvers<readonly never[]>()
  const slowly = fakeClient({ serviceList: () => under.promise, taskList: () => [], nodeList: () => [] })
  const slow = new Looks(slowly, 'shop')
  const before = slow.next('services', never)
  await eventually('the look', () => slowly.asked.length > 0)
  const after = slow.next('services', never)
  under.resolve([])
  assert.notEqual(await before, await after)
})

test('who gives up does not take the look from the others', async () => {
  const looks = new Looks(swarm(), 'shop')
  const gone = new AbortController()
  const [mine, other] = [looks.next('nodes', gone.signal), looks.next('nodes', never)]
  gone.abort(new Failure('cancelled', 'too late'))
  await assert.rejects(mine, /too late/)
  assert.equal((await other).tasks.length, 0)
  await assert.rejects(looks.next('nodes', AbortSignal.abort()), /Interrupted/)
})

test('what takes long is asked for less often', () => {
  assert.equal(pauseBefore({ took: 10, waited: 0 }), 250)
  assert.equal(pauseBefore({ took: 10, waited: 2_500 }), 250)
  assert.equal(pauseBefore({ took: 10, waited: 20_000 }), 2_000)
  assert.equal(pauseBefore({ took: 10, waited: 600_000 }), 5_000)
  assert.equal(pauseBefore({ took: 5_000, waited: 60_000 }), 10_000)
})
