import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { PlanFailure } from '../../src/apply/plan-failure.ts'
import { exitCodeOf } from '../../src/cli/exit-codes.ts'
import { failureJson, failureText, problemsText } from '../../src/cli/failures.ts'
import { Failure } from '../../src/lib/failure.ts'
import { type Problem, ProblemsFailure } from '../../src/lib/problems.ts'
import type { PlanNode } from '../../src/plan/plan.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-failures-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'compose.yaml')
writeFileSync(file, 'services:\n  web:\n\timge: \u001b[2Jnginx\n')

const bare = (_: unknown, text: string) => text
const problem: Problem = {
  severity: 'error',
  code: 'unknown-key',
  place: { file, line: 3, column: 2, via: ['included by main.yaml:4:5'] },
  path: ['services', 'web', 'imge'],
  message: 'Cannot use key "imge": it is not known here',
  hint: 'Did you mean "image"?',
}

describe('failures', () => {
  test('problemsText() shows the place, the line with a caret, the hint and the chain', () => {
    assert.equal(
      problemsText([problem], bare),
      [
        `error ${file}:3:2 services.web.imge`,
        '  Cannot use key "imge": it is not known here',
        '    3 | \timge: \\x1b[2Jnginx',
        '      | \t^',
        '  Did you mean "image"?',
        '  included by main.yaml:4:5',
      ].join('\n'),
    )
  })

  test('what failed of a plan is told at its place, what has none by its message alone', () => {
    const node = { id: 0, after: [], operation: { kind: 'x', cause: '', name: 'x' } } as unknown as PlanNode
    const failure = new Failure('internal', 'Cannot start it', { hint: 'Start it', cause: new Error('inner') })
    const failed = new PlanFailure([
      { node, failure },
      { node, failure: new Failure('internal', 'Cannot remove it') },
    ])
    assert.equal(failureText(failed, bare), 'error Cannot start it\nCannot remove it\n  Start it')
    const { code, path, hint } = problem
    const told = failed.placed(({ failure: { message } }) =>
      message === 'Cannot start it'
        ? { severity: 'error', code, path, place: { file, line: 1, column: 1 }, message, ...(hint ? { hint } : {}) }
        : { severity: 'error', code, path: [], place: undefined, message },
    )
    assert.equal(
      failureText(told, bare),
      [
        `error ${file}:1:1 services.web.imge`,
        '  Cannot start it',
        '    1 | services:',
        '      | ^',
        '  Did you mean "image"?',
        '',
        'error Cannot remove it',
        '',
        '2 errors',
      ].join('\n'),
    )
    assert.match(failureText(told, bare, true), /\n {2}caused by: /)
    assert.deepEqual(
      (failureJson(told) as { error: { problems: { line?: number }[] } }).error.problems.map(({ line }) => line),
      [1, undefined],
    )
  })

  test('problemsText() counts errors when there are several, and needs no file to be there', () => {
    const gone = { ...problem, place: { file: '/gone.yaml', line: 1, column: 1 } }
    const warning = { ...problem, severity: 'warning' as const, place: undefined }
    const text = problemsText([gone, warning, gone], bare)
    assert.match(text, /\n\n2 errors$/)
    assert.match(
      text,
      /^error \/gone\.yaml:1:1 services\.web\.imge\n {2}Cannot use key "imge": it is not known here\n {2}Did/,
    )
    assert.match(text, /^warning services\.web\.imge$/m)
  })

  test('failureText() shows a hint below the message and causes only when asked', () => {
    const failure = new Failure('unavailable', 'Cannot reach "x"', {
      hint: 'Start it',
      cause: new TypeError('inner', { cause: new Failure('internal', 'innermost') }),
    })
    assert.equal(failureText(failure, bare), 'error Cannot reach "x"\n  Start it')
    assert.equal(
      failureText(failure, bare, true),
      'error Cannot reach "x"\n  Start it\n  caused by: TypeError: inner\n  caused by: innermost',
    )
  })

  test('failureText() ends with a chain of causes that bites its tail', () => {
    const failure = new Failure('internal', 'a')
    failure.cause = failure
    assert.ok(failureText(failure, bare, true).split('\n').length < 40)
  })

  test('failureText() keeps a container from driving the terminal', () => {
    assert.equal(failureText(new Failure('conflict', 'x\u001b]0;title\u0007'), bare), 'error x\\x1b]0;title\\x07')
  })

  test('failureJson() gives programs the problems with their places', () => {
    const data = JSON.parse(JSON.stringify(failureJson(new ProblemsFailure([problem]))))
    assert.deepEqual([data.version, data.error.exitCode], [1, 1])
    assert.deepEqual(data.error.problems[0], {
      severity: 'error',
      code: 'unknown-key',
      file,
      line: 3,
      column: 2,
      via: ['included by main.yaml:4:5'],
      path: ['services', 'web', 'imge'],
      message: 'Cannot use key "imge": it is not known here',
      hint: 'Did you mean "image"?',
    })
  })
})

describe('exit codes', () => {
  test('exitCodeOf() follows the kind alone, whatever the engine says of a command that cannot be started', () => {
    assert.equal(exitCodeOf(new ProblemsFailure([problem])), 1)
    assert.equal(exitCodeOf(new Failure('invalid', 'x')), 1)
    assert.equal(exitCodeOf(new Failure('invalid', 'x', { exitCode: 127 })), 1)
    assert.equal(exitCodeOf(new Failure('cancelled', 'x')), 130)
    assert.equal(exitCodeOf(new Error('x')), 1)
    assert.equal(exitCodeOf(new AggregateError([new Failure('conflict', 'x'), new Failure('cancelled', 'x')])), 130)
  })
})
