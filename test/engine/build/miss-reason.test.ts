import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { counterpart, missReason } from '../../../src/engine/build/miss-reason.ts'
import { keyOf, type StepInputs } from '../../../src/engine/build/step-inputs.ts'

const run: StepInputs = {
  text: 'RUN make',
  below: 'sha256:one',
  values: { command: '["/bin/sh","-c","make"]', 'ARG V': '1', user: '' },
  files: {},
}
const copy: StepInputs = {
  text: 'COPY src /src',
  below: 'sha256:one',
  values: { sources: 'src', chmod: '' },
  files: { '': { digest: 'a', entries: { src: '0', 'src/a.ts': '1', 'src/b.ts': '2' } } },
}
const withFiles = (digest: string, entries?: Readonly<Record<string, string>>): StepInputs => ({
  ...copy,
  files: { '': { digest, entries } },
})

describe('why a step is not in the cache', () => {
  const cases: readonly (readonly [string, StepInputs | undefined, StepInputs, boolean, string])[] = [
    ['of a build that never was', undefined, run, false, 'never built'],
    ['a build argument', run, { ...run, values: { ...run.values, 'ARG V': '2' } }, false, 'ARG V: 1 → 2'],
    ['a new variable', run, { ...run, values: { ...run.values, 'ENV A': 'x' } }, false, 'ENV A is new'],
    ['one that is gone', { ...run, values: { ...run.values, 'ENV A': 'x' } }, run, false, 'ENV A is gone'],
    ['a long value', run, { ...run, values: { ...run.values, 'ARG V': 'x'.repeat(50) } }, false, 'ARG V changed'],
    [
      'another instruction in its place',
      run,
      { ...run, text: 'RUN make all', values: { ...run.values, command: '["make all"]' } },
      false,
      'the instruction was "RUN make"',
    ],
    ['the step before', run, { ...run, below: 'sha256:two' }, false, 'the step before changed'],
    ['the base', run, { ...run, below: 'sha256:two' }, true, 'base image changed'],
    ['nothing at all', run, run, true, 'its result is no longer in the cache'],
    [
      'a file, and not the folder above it',
      copy,
      withFiles('b', { src: '9', 'src/a.ts': '5', 'src/b.ts': '2' }),
      false,
      'src/a.ts changed',
    ],
    [
      'a new file and one that is gone',
      copy,
      withFiles('b', { src: '0', 'src/a.ts': '1', 'src/c.ts': '2' }),
      false,
      'src/b.ts is gone, and 1 more',
    ],
    ['more files than are told', copy, withFiles('b'), false, 'the files changed'],
  ]
  for (const [name, before, now, first, reason] of cases)
    test(name, () => assert.equal(missReason(before, now, first), reason))

  test('the step of last time is the one of the same text, wherever it stands now', () => {
    const other = { ...run, text: 'RUN other' }
    assert.equal(counterpart([run, copy], 'COPY src /src', 0), copy)
    assert.equal(counterpart([run, run], 'RUN make', 1), run)
    assert.equal(counterpart([other, copy], 'RUN new', 0), other)
    assert.equal(counterpart([], 'RUN new', 0), undefined)
  })

  test('the key knows all but the text and the single files', () => {
    const key = keyOf(copy)
    assert.equal(keyOf({ ...copy, text: 'COPY  src /src' }), key)
    assert.equal(keyOf(withFiles('a')), key)
    for (const other of [withFiles('b'), { ...copy, below: 'x' }, { ...copy, values: { ...copy.values, chmod: '7' } }])
      assert.notEqual(keyOf(other), key)
  })
})
