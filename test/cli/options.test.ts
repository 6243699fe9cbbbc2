import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { globalOptions, parse, splitCommand, valuesOf } from '../../src/cli/options.ts'
import { Failure } from '../../src/lib/failure.ts'

const table = {
  detach: { kind: 'flag', short: 'd', about: '' },
  scale: { kind: 'list', about: '' },
  timeout: { kind: 'number', short: 't', about: '' },
  pull: { kind: 'text', choices: ['always', 'never'], about: '' },
} as const

function values(...argv: string[]) {
  return valuesOf(table, parse(argv, table))
}

function refused(message: RegExp, hint?: string) {
  return (error: unknown) => {
    assert.ok(error instanceof Failure)
    assert.match(error.message, message)
    if (hint !== undefined) assert.equal(error.hint, hint)
    return true
  }
}

describe('options', () => {
  test('splitCommand() finds the command behind options with values', () => {
    assert.deepEqual(splitCommand(['-f', 'up', '--project-name=x', '-p', 'y', 'logs', '-f', 'web']), {
      before: ['-f', 'up', '--project-name=x', '-p', 'y'],
      words: ['logs', '-f', 'web'],
    })
    assert.deepEqual(splitCommand(['--verbose']), { before: ['--verbose'], words: [] })
  })

  test('parse() gives flags, numbers, lists and the words between', () => {
    const parsed = parse(['web', '-d', '--scale', 'web=2', 'db', '--scale=db=1', '-t', '5'], table)
    assert.deepEqual(valuesOf(table, parsed), { detach: true, scale: ['web=2', 'db=1'], timeout: 5, pull: undefined })
    assert.deepEqual(parsed.args, ['web', 'db'])
  })

  test('parse() takes a negative number for a value', () => {
    assert.equal(values('-t', '-1').timeout, -1)
  })

  test('parse() reads letters written together and a value behind its letter', () => {
    assert.deepEqual([values('-dt', '5').detach, values('-dt5').timeout, values('-t=5').timeout], [true, 5, 5])
  })

  test('parse() lets a flag be switched off', () => {
    assert.equal(values('--detach=false').detach, false)
    assert.throws(() => values('--detach=perhaps'), refused(/on or off/))
  })

  test('parse() leaves everything behind -- alone', () => {
    assert.deepEqual(parse(['a', '--', '-d', '--nope'], table).args, ['a', '-d', '--nope'])
  })

  test('parse() with passthrough hands on the options of the command in the container', () => {
    const parsed = parse(['-d', 'web', 'ls', '-l', '--', '-d'], table, true)
    assert.deepEqual(parsed.args, ['web', 'ls', '-l', '--', '-d'])
    assert.equal(valuesOf(table, parsed).detach, true)
  })

  test('parse() names the nearest option for one that is unknown', () => {
    assert.throws(() => values('--detahc'), refused(/^Unknown option --detahc$/, 'Did you mean --detach?'))
    assert.throws(() => values('-x'), refused(/^Unknown option -x$/))
    assert.throws(() => values('--__proto__'), refused(/^Unknown option --__proto__$/))
  })

  test('parse() refuses a value that is missing, no number, no choice or holds a NUL', () => {
    assert.throws(() => values('--scale'), refused(/needs a value/))
    assert.throws(() => values('-t', 'soon'), refused(/whole number/))
    assert.throws(() => values('--pull', 'perhaps'), refused(/one of always or never/))
    assert.throws(() => values('--scale', 'a\0b'), refused(/NUL/))
  })

  test('valuesOf() lets the later parse win and joins lists', () => {
    const [early, late] = [
      parse(['-f', 'a.yaml', '-p', 'one'], globalOptions),
      parse(['--file', 'b.yaml', '-p', 'two'], globalOptions),
    ]
    const found = valuesOf(globalOptions, early, late)
    assert.deepEqual([found.file, found['project-name']], [['a.yaml', 'b.yaml'], 'two'])
  })
})
