import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Checks } from '../../../../src/engine/build/dockerfile/checks.ts'
import { planned } from './planned.ts'

const lines = { first: 3, last: 4 }

describe('Checks', () => {
  test('keep what is reported, with the page of the rule', () => {
    const checks = new Checks('')
    checks.report('UndefinedVar', lines, 'text')
    assert.deepEqual(checks.warnings, [
      {
        rule: 'UndefinedVar',
        message: 'text',
        description: 'Variables should be defined before their use',
        url: 'https://docs.docker.com/go/dockerfile/rule/undefined-var/',
        lines,
      },
    ])
  })

  const cases: ReadonlyArray<readonly [options: string, usual: boolean, experimental: boolean]> = [
    ['', true, false],
    ['skip=all', false, false],
    ['skip=UndefinedVar, JSONArgsRecommended', false, false],
    ['skip=JSONArgsRecommended', true, false],
    ['experimental=all', true, true],
    ['skip=all;experimental=CopyIgnoredFile', false, true],
    [' error = true ; skip = UndefinedVar ', false, false],
  ]
  for (const [options, usual, experimental] of cases) {
    test(`ask by "${options}" for ${usual ? 'a' : 'no'} usual rule, ${experimental ? 'an' : 'no'} experimental one`, () => {
      const checks = new Checks(options)
      assert.deepEqual([checks.asksFor('UndefinedVar'), checks.asksFor('CopyIgnoredFile')], [usual, experimental])
    })
  }

  test('are an error at the end where that is asked for, each rule named once', () => {
    const checks = new Checks('error=1')
    assert.doesNotThrow(() => checks.end())
    for (const _ of [1, 2]) checks.report('UndefinedVar', lines, 'text')
    checks.report('MaintainerDeprecated', lines, 'text')
    assert.throws(() => checks.end(), {
      kind: 'invalid',
      message: 'lint violation found for rules: UndefinedVar, MaintainerDeprecated',
    })
  })

  const wrong: ReadonlyArray<readonly [options: string, message: string]> = [
    ['skip', 'invalid check option "skip"'],
    ['foo=1', 'invalid check option "foo"'],
    ['error=maybe', 'failed to parse check option "error=maybe": strconv.ParseBool: parsing "maybe": invalid syntax'],
  ]
  for (const [options, message] of wrong) {
    test(`refuse ${options}`, () => assert.throws(() => new Checks(options), { kind: 'invalid', message }))
  }
})

describe('planBuild()', () => {
  const failing: ReadonlyArray<readonly [why: string, text: string]> = [
    ['a rule is an error', '# check=error=true\nFROM base:1 as a\n'],
    ['a base is not there', 'FROM base:1 as a\nFROM nowhere:1\nCOPY --from=a /x /y\n'],
  ]
  for (const [why, text] of failing)
    test(`tells what the rules have found also where ${why}`, async () => {
      const told: string[] = []
      await assert.rejects(planned(text, { onWarning: ({ rule }) => told.push(rule) }))
      assert.deepEqual(told, ['FromAsCasing'])
    })
})
