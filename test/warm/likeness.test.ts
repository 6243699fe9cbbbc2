/** Which commands run as well in a process that waited for them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { earlyVariables, isBrief, standing } from '../../src/warm/likeness.ts'

const rows: readonly (readonly [words: string, onTerminal: boolean, brief: boolean])[] = [
  ['ps', true, true],
  ['up -d', true, true],
  ['up --detach web', true, true],
  ['up --wait', true, true],
  ['up', true, false],
  ['up web', true, false],
  ['up', false, true],
  ['-f a.yaml up', true, false],
  ['exec web sh', true, false],
  ['exec -T web true', false, true],
  ['run --rm web', true, false],
  ['logs -f', true, false],
  ['attach web', true, false],
  ['engine', false, false],
  ['--verbose engine status', true, false],
]

for (const [words, onTerminal, brief] of rows)
  test(`"${words}" ${onTerminal ? 'on a terminal' : 'elsewhere'} is ${brief ? 'taken' : 'left to a process of its own'}`, () => {
    assert.equal(isBrief(words.split(' '), onTerminal), brief)
  })

test('variables count that Node, libc and the loader read at their start alone', () => {
  const early = { TZ: 'UTC', NODE_OPTIONS: '--x', LD_PRELOAD: 'a', LC_ALL: 'C' }
  assert.equal(
    earlyVariables({ ...early, TAG: '1', NODE_COMPILE_CACHE: '/c', HOME: '/root' }),
    'LC_ALL=C\nLD_PRELOAD=a\nNODE_OPTIONS=--x\nTZ=UTC',
  )
  assert.equal(earlyVariables({ TAG: '2' }), '')
})

test('a process stands as its own child does', () => {
  assert.equal(standing(process.pid), standing('self'))
  assert.throws(() => standing(2 ** 22 + 1), { code: 'ENOENT' })
})
