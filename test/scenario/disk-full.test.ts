/** A disk that fills up while a stack lives on it: nothing hangs, and nothing is half done when there is room again. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Stack } from '../support/engine.ts'
import { TestEngine } from '../support/engine.ts'
import { fullDiskRound, fullDiskStack } from '../support/full-disk-round.ts'
import { lacking, program, root } from '../support/needs.ts'

// every write for itself: disk-full.test.ts of the engine's containers, and `npm run chaos`
describe('a disk with room for', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  let stack: Stack
  before(async () => {
    engine = await TestEngine.start(['busybox'], { disk: '24m' })
    stack = engine.stack(fullDiskStack)
  })
  after(() => engine.stop())

  for (const pages of [0, 4, 12, 24])
    test(`${pages} pages ends no engine, and every command in time`, async () => {
      const refused = await fullDiskRound(engine, stack, pages)
      if (pages === 0) assert.ok(refused, 'something finds no room')
    })
})
