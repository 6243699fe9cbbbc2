import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Control } from '../../src/runtime/control.ts'
import { Nursery } from '../../src/runtime/monitor.ts'
import { encode } from '../../src/runtime/program.ts'
import { step } from '../../src/runtime/steps.ts'
import { kernelSkip } from './runtime-box.ts'

/** A fixed seed: the same programs every time. */
function randomizer(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('the monitor’s decoder', { skip: kernelSkip() }, () => {
  let folder: string
  let nursery: Nursery
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tsc-decode-'))
    nursery = new Nursery('tsct')
  })
  after(async () => {
    nursery.close()
    await rm(folder, { recursive: true, force: true })
  })

  async function answer(bytes: Buffer) {
    const control = Control.over(nursery.request())
    control.sendProgram(bytes)
    const first = await control.first
    control.close()
    return first
  }

  /** Its first step would leave a folder behind. */
  const made = () => join(folder, 'made')
  const program = () =>
    encode({
      host: [
        step('mkdir', { path: made(), mode: 0o700 }),
        step('write', { path: '/dev/null', value: 'x' }),
        step('rmdir', { path: made(), patience: 0 }),
      ],
      child: [],
    })

  it('runs a sound program', async () => {
    assert.equal((await answer(program())).kind, 'started')
    assert.equal(existsSync(made()), false)
  })

  it('refuses every truncated program and runs no prefix of it', async () => {
    const whole = program()
    for (let length = 0; length < whole.length; length += length < 40 ? 1 : 7) {
      const first = await answer(whole.subarray(0, length))
      assert.deepEqual([first.kind, first.kind === 'failed' && first.step], ['failed', -1], `length ${length}`)
      assert.equal(existsSync(made()), false)
    }
  })

  it('refuses what is out of bounds, unknown or out of place', async () => {
    const change = (at: number, value: number) => {
      const bytes = Buffer.from(program())
      bytes.writeUInt32LE(value, at)
      return bytes
    }
    const broken = {
      magic: change(0, 1),
      version: change(4, 9),
      'more host steps than there are': change(8, 4),
      'a huge count': change(8, 0xffffffff),
      'child steps without exec': change(12, 1),
      'an empty pool': change(20, 0),
      'an unknown step': change(24, 9999),
      'a hole in the table': change(24, 9),
      'a child step among host steps': change(24, 77),
      'a condition on a host step': change(28, 1),
      'a string out of the pool': change(32, 0x7fffffff),
      'a negative offset': change(36, 0xffffffff),
      'a word too many': change(24 + 8 + 5 * 8, 1),
    }
    for (const [what, bytes] of Object.entries(broken)) {
      assert.equal((await answer(bytes)).kind, 'failed', what)
      assert.equal(existsSync(made()), false, what)
    }
    const unterminated = Buffer.from(program())
    unterminated[unterminated.length - 1] = 65
    assert.equal((await answer(unterminated)).kind, 'failed')
  })

  it('survives random bytes', async () => {
    const random = randomizer(20_261_122)
    for (let round = 0; round < 60; round++) {
      const bytes = Buffer.from(program())
      // the header's counts and the steps' codes and words, never a path: what decodes may run
      for (let hits = 1 + random(4); hits > 0; hits--) bytes[random(24 + 8)] = random(256)
      const first = await answer(bytes)
      assert.ok(first.kind === 'failed' || first.kind === 'started', `round ${round}: ${first.kind}`)
      const noise = Buffer.from(Array.from({ length: random(400) }, () => random(256)))
      assert.equal((await answer(noise)).kind, 'failed')
    }
  })
})
