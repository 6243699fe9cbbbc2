import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { scan } from '../../src/cli/flags.ts'
import { globalOptions } from '../../src/cli/options.ts'
import { parse, parseVariables, valuesOf } from '../../src/cli/values.ts'
import { Failure } from '../../src/lib/failure.ts'

const table = {
  detach: { kind: 'flag', short: 'd', about: '' },
  quiet: { kind: 'flag', short: 'q', about: '' },
  'sig-proxy': { kind: 'flag', on: true, about: '' },
  'no-color': { kind: 'flag', also: ['monochrome'], about: '' },
  'remove-orphans': { kind: 'flag', variable: 'COMPOSE_REMOVE_ORPHANS', about: '' },
  scale: { kind: 'list', about: '' },
  tty: { kind: 'flag', either: true, about: '' },
  timeout: { kind: 'number', short: 't', variable: 'COMPOSE_TIMEOUT', about: '' },
  pull: { kind: 'text', choices: ['always', 'never'], about: '' },
  ansi: { kind: 'text', choices: ['auto', 'never'], lenient: true, about: '' },
  status: { kind: 'list', choices: ['running', 'exited'], lenient: true, about: '' },
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

describe('flags', () => {
  test('scan() finds the command behind options with values', () => {
    const { options, words } = scan(['-f', 'up', '--project-name=x', '-py', 'logs', '-f', 'web'], globalOptions, true)
    assert.deepEqual(
      options.map(({ name, value }) => [name, value]),
      [
        ['file', 'up'],
        ['project-name', 'x'],
        ['project-name', 'y'],
      ],
    )
    assert.deepEqual(words, ['logs', '-f', 'web'])
    assert.deepEqual(scan(['--verbose'], globalOptions, true).words, [])
  })

  test('valuesOf() tells a flag that was not given from one that is off, where it matters', () => {
    assert.deepEqual([values().tty, values('--tty').tty, values('--tty=false').tty], [undefined, true, false])
    assert.deepEqual([values().detach, values()['sig-proxy']], [false, true])
  })

  test('parse() gives flags, numbers, lists and the words between', () => {
    const parsed = parse(['web', '-d', '--scale', 'web=2', 'db', '-', '--scale=db=1', '-t', '5'], table)
    const { detach, scale, timeout, pull } = valuesOf(table, parsed)
    assert.deepEqual(
      { detach, scale, timeout, pull },
      { detach: true, scale: ['web=2', 'db=1'], timeout: 5, pull: undefined },
    )
    assert.deepEqual(parsed.args, ['web', 'db', '-'])
  })

  for (const [argv, expected] of [
    [['-t', '-1'], { timeout: -1 }],
    [['-dt', '5'], { detach: true, timeout: 5 }],
    [['-dt5'], { detach: true, timeout: 5 }],
    [['-t=5'], { timeout: 5 }],
    [['-dqd'], { detach: true, quiet: true }],
    [['-d=false', '-q'], { detach: false, quiet: true }],
    [['-qd=0'], { detach: false, quiet: true }],
    [['--detach', '--detach=F'], { detach: false }],
    [['--detach', 'false'], { detach: true }],
    [['--sig-proxy=false'], { 'sig-proxy': false }],
    [[], { 'sig-proxy': true, detach: false }],
    [['--monochrome'], { 'no-color': true }],
    [['-t', '1', '-t', '0'], { timeout: 0 }],
    [['--timeout='], /invalid argument "" for "-t, --timeout" flag/],
    [['--detach=perhaps'], /invalid argument "perhaps" for "-d, --detach" flag/],
    [['-x'], /^unknown shorthand flag: 'x' in -x$/],
    [['-dxq'], /^unknown shorthand flag: 'x' in -dxq$/],
    [['--__proto__'], /^unknown flag: --__proto__$/],
    [['--constructor=1'], /^unknown flag: --constructor$/],
    [['--scale'], /^flag needs an argument: --scale$/],
    [['-dt'], /^flag needs an argument: 't' in -dt$/],
    [['-t', 'soon'], /invalid argument "soon" for "-t, --timeout" flag: it takes a whole number/],
    [['--pull', 'perhaps'], /invalid value for --pull: "perhaps": it is one of always or never/],
    [['--scale', 'a\0b'], /NUL/],
  ] as const)
    test(`parse() reads "${argv.join(' ').replace('\0', '\\0')}" as pflag does`, () => {
      if (expected instanceof RegExp) return assert.throws(() => values(...argv), refused(expected))
      assert.partialDeepStrictEqual(values(...argv), expected)
    })

  test('parse() names the nearest option for one that is unknown', () => {
    assert.throws(() => values('--detahc'), refused(/^unknown flag: --detahc$/, 'Did you mean --detach?'))
  })

  test('parse() leaves everything behind -- alone', () => {
    assert.deepEqual(parse(['a', '--', '-d', '--nope'], table).args, ['a', '-d', '--nope'])
  })

  test('parse() with passthrough hands on the options of the command in the container', () => {
    const parsed = parse(['-d', 'web', 'ls', '-l', '--', '-d'], table, true)
    assert.deepEqual(parsed.args, ['web', 'ls', '-l', '--', '-d'])
    assert.equal(valuesOf(table, parsed).detach, true)
  })

  test('parse() warns of a value that Compose lets pass, and leaves it out', () => {
    const parsed = parse(['--ansi', 'sometimes'], table)
    assert.deepEqual(parsed.warnings, ['--ansi sometimes is left out: it is one of auto, never'])
    assert.equal(valuesOf(table, parsed).ansi, undefined)
  })

  test('parse() warns of such a value in a list too, and keeps it: it matches nothing', () => {
    const parsed = parse(['--status', 'exitd'], table)
    assert.deepEqual(parsed.warnings, ['--status exitd matches nothing: it is one of running, exited'])
    assert.deepEqual(valuesOf(table, parsed).status, ['exitd'])
  })

  test('parseVariables() stands for options that are not given', () => {
    const variables = parseVariables({ COMPOSE_REMOVE_ORPHANS: 'true', COMPOSE_TIMEOUT: ' 7 ' }, table)
    assert.partialDeepStrictEqual(valuesOf(table, variables, parse([], table)), { 'remove-orphans': true, timeout: 7 })
    assert.partialDeepStrictEqual(valuesOf(table, variables, parse(['--remove-orphans=false', '-t3'], table)), {
      'remove-orphans': false,
      timeout: 3,
    })
    for (const [text, truth] of [
      ['1', true],
      ['y', true],
      ['0', false],
      ['nonsense', false],
      ['', false],
    ] as const)
      assert.equal(
        valuesOf(table, parseVariables({ COMPOSE_REMOVE_ORPHANS: text }, table))['remove-orphans'],
        truth,
        text,
      )
    assert.throws(
      () => parseVariables({ COMPOSE_TIMEOUT: 'soon' }, table),
      refused(/Cannot use COMPOSE_TIMEOUT "soon"/),
    )
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
