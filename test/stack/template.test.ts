import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { substitute, TemplateError, variablesOf } from '../../src/stack/template.ts'

const variables: Readonly<Record<string, string>> = { A: 'a', EMPTY: '', NAME: 'B', B: 'bee' }
const lookup = (name: string) => variables[name]

describe('substitute()', () => {
  const cases: ReadonlyArray<readonly [template: string, result: string]> = [
    ['$A ${A}', 'a a'],
    ['$$A $${A}', '$A ${A}'],
    ['$ $5 a$', '$ $5 a$'],
    ['${U:-x} ${EMPTY:-x} ${A:-x}', 'x x a'],
    ['${U-x} ${EMPTY-x} ${A-x}', 'x  a'],
    ['${U:+x} ${EMPTY:+x} ${A:+x}', '  x'],
    ['${U+x} ${EMPTY+x} ${A+x}', ' x x'],
    ['${U:-${EMPTY:-${B}}}', 'bee'],
    ['${U:-a:?b}', 'a:?b'],
    ['${U:-{}}', '{}'],
    ['${A:?no} ${EMPTY?no}', 'a '],
  ]
  for (const [template, result] of cases)
    test(`${template} gives "${result}"`, () => assert.equal(substitute(template, lookup), result))

  for (const bad of ['${', '${}', '${A', '${1}', '${ A}', '${A!}', '${U:?why}', '${EMPTY:?}'])
    test(`${bad} is refused`, () => assert.throws(() => substitute(bad, lookup), TemplateError))
})

test('variablesOf() finds defaults, alternatives, required and nested variables', () => {
  assert.deepEqual(
    variablesOf('$A ${B:-${C}} ${D?e} $$E').map(v => [v.name, v.required, v.default]),
    [
      ['A', false, ''],
      ['B', false, '${C}'],
      ['C', false, ''],
      ['D', true, ''],
    ],
  )
})
