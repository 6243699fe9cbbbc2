import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatProblem, nearest, type Place, type Problem, Problems, ProblemsFailure } from '../../src/lib/problems.ts'

const at = (file: string, line: number, column: number): Place => ({ file, line, column })
const problem = (message: string, place?: Place, severity: Problem['severity'] = 'error'): Problem => ({
  severity,
  code: 'wrong-type',
  place,
  path: ['services', 'web'],
  message,
})

describe('Problems', () => {
  test('throw when an error is among them, and only then', () => {
    const problems = new Problems()
    problems.settle()
    problems.add(problem('warned', undefined, 'warning'))
    problems.settle()
    assert.ok(!problems.hasErrors)
    problems.add(problem('refused'))
    assert.throws(() => problems.settle(), { name: 'ProblemsFailure', kind: 'invalid' })
    assert.deepEqual(
      [problems.hasErrors, problems.all.length, problems.warnings.map(({ message }) => message)],
      [true, 2, ['warned']],
    )
  })

  test('are told file by file as each was first named, from its top down, what has no place last, and errors alone', () => {
    const problems = new Problems()
    const places = [undefined, at('b', 9, 1), at('b', 2, 5), at('a', 1, 1), at('b', 2, 3)]
    for (const [index, place] of places.entries()) problems.add(problem(String(index), place))
    problems.add(problem('warned', at('b', 1, 1), 'warning'))
    const failure = thrown(() => problems.settle())
    assert.deepEqual(
      failure.problems.map(({ message }) => message),
      ['warned', '4', '2', '1', '3', '0'],
    )
    assert.equal(
      failure.message,
      ['b:2:3 ', 'b:2:5 ', 'b:9:1 ', 'a:1:1 ', '']
        .map((place, i) => `${place}services.web\n  ${[4, 2, 1, 3, 0][i]}`)
        .join('\n'),
    )
  })
})

function thrown(work: () => void): ProblemsFailure {
  try {
    work()
  } catch (error) {
    if (error instanceof ProblemsFailure) return error
  }
  return assert.fail('no ProblemsFailure')
}

test('formatProblem() begins with the place where there is one', () => {
  assert.equal(formatProblem(problem('Cannot', at('compose.yaml', 7, 9))), 'compose.yaml:7:9 services.web\n  Cannot')
  assert.equal(formatProblem(problem('Cannot')), 'services.web\n  Cannot')
})

describe('nearest()', () => {
  const keys = ['image', 'ports', 'volumes', 'networks', 'network_mode', 'a', 'healthcheck']
  for (const [word, meant] of [
    ['imgae', 'image'],
    ['imag', 'image'],
    ['IMAGE', 'image'],
    ['port', 'ports'],
    ['prots', 'ports'],
    ['netwroks', 'networks'],
    ['volume', 'volumes'],
    ['healthchekc', 'healthcheck'],
    ['helthchek', 'healthcheck'],
    ['hltchek', undefined],
    ['b', 'a'],
    ['xyz', undefined],
    ['imageimage', undefined],
    ['pxxts', undefined],
    ['poxrs', undefined],
    ['potxs', undefined],
  ] as const)
    test(`takes "${word}" for ${meant ?? 'nothing that is known'}`, () => assert.equal(nearest(word, keys), meant))

  test('takes the nearest, and the first of those that are as near', () => {
    assert.equal(nearest('abcdef', ['abcxyf', 'abcdeg', 'abcdex']), 'abcdeg')
    assert.equal(nearest('ab', []), undefined)
  })
})
