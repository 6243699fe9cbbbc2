import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkFrontend } from '../../../../src/engine/build/dockerfile/frontend.ts'

describe('checkFrontend()', () => {
  const own = [
    'FROM a',
    '# syntax=docker/dockerfile:1\nFROM a',
    '#syntax = docker/dockerfile-upstream:master-labs \nFROM a',
    '#!/usr/bin/env x\n# syntax=docker/dockerfile:1.7-labs\nFROM a',
    '# syntax=127.0.0.1:5000/docker/dockerfile@sha256:'.concat('0'.repeat(64), '\nFROM a'),
    '# escape=`\n# SYNTAX=docker/dockerfile\nFROM a',
    'FROM a\n# syntax=other/frontend',
    '# a comment\n# syntax=other/frontend\nFROM a',
    '{"not": "a Dockerfile"}',
  ]
  for (const text of own) {
    test(`takes ${JSON.stringify(text.slice(0, 50))}`, () => assert.doesNotThrow(() => checkFrontend(text, undefined)))
  }

  const others: ReadonlyArray<readonly [text: string, name: string, line: number]> = [
    ['# syntax=other/frontend:1 more words\nFROM a', 'other/frontend:1', 1],
    ['#!/x\n# check=skip=all\n# syntax=other\nFROM a', 'other', 3],
    ['// syntax=other/json\n{}', 'other/json', 1],
    ['{"syntax": "other/json"}', 'other/json', 0],
    ['# syntax=NOT A NAME\nFROM a', 'NOT', 1],
  ]
  for (const [text, name, line] of others) {
    test(`refuses ${JSON.stringify(text.slice(0, 50))} by name`, () => {
      assert.throws(() => checkFrontend(text, undefined), {
        kind: 'unsupported',
        message: `Cannot build with the frontend "${name}": only docker/dockerfile is there`,
        lines: { first: line, last: line },
      })
    })
  }

  test('goes by the build argument before the file', () => {
    assert.doesNotThrow(() => checkFrontend('# syntax=other\nFROM a', 'docker/dockerfile:1'))
    assert.throws(() => checkFrontend('FROM a', 'other'), { kind: 'unsupported' })
  })
})
