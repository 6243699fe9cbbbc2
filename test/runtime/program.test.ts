import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encode, stepAt, undoSteps } from '../../src/runtime/program.ts'
import { type Step, step, steps } from '../../src/runtime/steps.ts'

describe('encode()', () => {
  const mkdir = step('mkdir', { path: '/a', mode: 0o700 }, 'test', step('rmdir', { path: '/a', patience: 0 }))

  it('writes header, steps and a pool that ends with NUL', () => {
    const bytes = encode({ host: [mkdir], child: [] })
    assert.deepEqual(
      [0, 4, 8, 12, 16].map(at => bytes.readUInt32LE(at)),
      [0x50435354, 1, 1, 0, 1],
    )
    assert.equal(bytes.length, 24 + 2 * 56 + bytes.readUInt32LE(20))
    assert.equal(bytes.at(-1), 0)
  })

  it('gives the same bytes for the same program', () => {
    assert.deepEqual(encode({ host: [mkdir], child: [] }), encode({ host: [mkdir], child: [] }))
  })

  it('refuses a string with a NUL, which would be two inside', () => {
    const refused = { kind: 'invalid', message: /it holds a NUL character/ }
    assert.throws(() => encode({ host: [step('mkdir', { path: '/a\0b', mode: 0o700 })], child: [] }), refused)
    const exec = step('exec', { argv: ['a\0b', 'c'], env: [] })
    assert.throws(() => encode({ host: [], child: [exec] }), refused)
  })

  it('writes negative and large numbers as 64-bit words', () => {
    const bytes = encode({ host: [step('log', { path: '', size: -1, files: 2 ** 52 + 5, attributes: '' })], child: [] })
    assert.deepEqual([bytes.readBigInt64LE(24 + 16), bytes.readBigInt64LE(24 + 24)], [-1n, 2n ** 52n + 5n])
  })

  it('takes host steps back last first, each only after its own step', () => {
    const second = step('mkdir', { path: '/b', mode: 0o700 }, 'test', step('rmdir', { path: '/b', patience: 0 }))
    const program = { host: [mkdir, step('netns-leave', {}), second], child: [] }
    assert.deepEqual(
      undoSteps(program).map(({ step, after }) => [(step.args as { path: string }).path, after]),
      [
        ['/b', 2],
        ['/a', 0],
      ],
    )
  })

  it('numbers child steps after host steps', () => {
    const child: readonly Step[] = [step('session', {}), step('init', { capabilities: 0 })]
    assert.equal(stepAt({ host: [mkdir], child }, 2)?.name, 'init')
  })
})

describe('steps', () => {
  it('have codes of their own and fit in six words', () => {
    const codes = Object.values(steps).map(({ code }) => code)
    assert.equal(new Set(codes).size, codes.length)
    for (const [name, { args }] of Object.entries(steps)) {
      const words = Object.values(args as Record<string, string>).reduce(
        (sum, kind) => sum + (kind === 'bytes' || kind === 'list' ? 2 : 1),
        0,
      )
      assert.ok(words <= 6, name)
    }
  })
})
