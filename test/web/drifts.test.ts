/** How far stacks are from their files: when it is counted, and when it is not. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Failure } from '../../src/lib/failure.ts'
import { Drifts } from '../../src/web/drifts.ts'
import type { Foretold } from '../../src/web/roads.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-drifts-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'compose.yaml')
writeFileSync(file, 'services: {}\n')
const place = { name: 'shop', directory: folder, files: [file] }

function drifts(foresee: () => Promise<number> = async () => 2, done: readonly string[] = []) {
  let now = 1000
  const changed: number[] = []
  const counted: string[] = []
  const watched = { is: true }
  const made = new Drifts({
    foresee: async ({ name }) => {
      counted.push(name)
      const changes = await foresee()
      return {
        plan: { changes: Array.from({ length: changes }, (_, at) => ({ action: 'start', name: `s${at}` })) },
        files: [file],
      } as unknown as Foretold
    },
    changed: () => void changed.push(now),
    isWatched: () => watched.is,
    now: () => now,
  })
  const look = async (state: string, later = 0) => {
    now += later
    made.look([{ place, state, done: new Set(done) }])
    await new Promise(resolve => setImmediate(resolve))
  }
  return { made, changed, counted, watched, look }
}

describe('Drifts', () => {
  test('counts once what containers do to a plan, when it has settled, and again when files are written', async t => {
    const { made, changed, counted, look } = drifts()
    t.after(() => made.close())
    await look('web running')
    assert.equal(counted.length, 0)
    await look('web running', 400)
    assert.deepEqual(made.of('shop'), { changes: 2 })
    assert.equal(changed.length, 1)
    for (let round = 0; round < 5; round++) await look('web running', 3000)
    assert.equal(counted.length, 1)
    writeFileSync(file, 'services: { web: {} }\n')
    await look('web running', 3000)
    assert.equal(counted.length, 2)
    await look('web stopped', 3000)
    await look('web stopped', 400)
    assert.equal(counted.length, 3)
    // the number is the same: nobody is told
    assert.equal(changed.length, 1)
  })

  test('counts at once what was changed from here', async t => {
    let changes = 2
    const { made, look } = drifts(async () => changes)
    t.after(() => made.close())
    await look('web running')
    await look('web running', 400)
    changes = 0
    made.touch('shop')
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(made.of('shop'), { changes: 0 })
  })

  test('counts no job that is done, though an up would run it again', async t => {
    const { made, look } = drifts(async () => 2, ['s1'])
    t.after(() => made.close())
    await look('web running')
    await look('web running', 400)
    assert.deepEqual(made.of('shop'), { changes: 1 })
  })

  test('counts nothing as long as nobody looks', async t => {
    const { made, counted, watched, look } = drifts()
    t.after(() => made.close())
    watched.is = false
    await look('web running')
    await look('web running', 400)
    assert.equal(counted.length, 0)
    watched.is = true
    await look('web running')
    await look('web running', 400)
    assert.equal(counted.length, 1)
  })

  test('says why files cannot be used, and nothing of an engine that is away', async t => {
    let kind: Failure['kind'] = 'invalid'
    const { made, look } = drifts(async () => {
      throw new Failure(kind, 'Cannot read it')
    })
    t.after(() => made.close())
    await look('web running')
    await look('web running', 400)
    assert.deepEqual(made.of('shop'), { changes: 0, error: 'Cannot read it' })
    kind = 'unavailable'
    made.touch('shop')
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(made.of('shop'), undefined)
  })
})
