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

describe('what is wrong is told with where it begins', () => {
  const cases: readonly (readonly [template: string, at: number, message: string])[] = [
    ['a ${A', 2, '"${A" has no closing brace on its line'],
    ['${A} ${\n}', 5, '"${\n}" has no closing brace on its line'],
    ['ab${}', 2, '"${}" is no variable, should be like ${NAME} or ${NAME:-default}'],
    ['${A!b}', 0, '"${A!b}" is no variable, should be like ${NAME} or ${NAME:-default}'],
    ['$A ${U:?}', 3, 'required variable "U" is not set'],
    ['${U?say ${A}}', 0, 'required variable "U" is not set: say a'],
    ['${EMPTY:?why}', 0, 'required variable "EMPTY" is empty: why'],
    // what is required in a default is required though the default is not used
    ['x${A:-${U:?why}}', 6, 'required variable "U" is not set: why'],
    ['x${A+${U:?why}}', 5, 'required variable "U" is not set: why'],
  ]
  for (const [template, at, message] of cases)
    test(template, () =>
      assert.throws(
        () => substitute(template, lookup),
        (error: unknown) => error instanceof TemplateError && error.message === message && error.at === at,
        message,
      ),
    )

  test('a hundred defaults within one another are enough', () => {
    const nested = (depth: number) => `${'${U:-'.repeat(depth)}$A${'}'.repeat(depth)}`
    assert.equal(substitute(nested(100), lookup), 'a')
    assert.throws(() => substitute(nested(101), lookup), /nested more than 100 deep/)
  })
})

test('each variable that is not set is told with where it stands, and none that has a default', () => {
  const unset: (readonly [string, number])[] = []
  const found = substitute(
    '$U a${V} ${W-} ${X:+x} ${A:-$Y} ${Z?$A}$',
    name => (name === 'Z' ? 'z' : lookup(name)),
    (name, at) => {
      unset.push([name, at])
    },
  )
  assert.equal(found, ' a   a z$')
  assert.deepEqual(unset, [
    ['U', 0],
    ['V', 4],
    ['Y', 28],
  ])
})

test('variablesOf() passes over dollars that are none', () => {
  const names = (text: string) => variablesOf(text).map(each => each.name)
  assert.deepEqual(names('$$A $ $5 ${A} $B- ${C'), ['A', 'B'])
  assert.deepEqual(names('none'), [])
  assert.deepEqual(names('${A:-${B:+$C}} ${D:?${E}}'), ['A', 'B', 'C', 'D', 'E'])
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
