import assert from 'node:assert/strict'
import { test } from 'node:test'
import { indent, list, plural, printable, table } from '../../src/lib/text.ts'

test('list() joins as a sentence does', () => {
  assert.deepEqual(
    [[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(words => list(words)),
    ['', 'a', 'a and b', 'a, b and c'],
  )
  assert.equal(list(['a', 'b', 'c'], 'or'), 'a, b or c')
})

test('plural() counts', () => {
  assert.deepEqual(
    [0, 1, 2].map(count => plural(count, 'container')),
    ['0 containers', '1 container', '2 containers'],
  )
  assert.deepEqual([plural(1, 'entry', 'entries'), plural(3, 'entry', 'entries')], ['1 entry', '3 entries'])
})

test('indent() leaves empty lines empty', () => {
  assert.equal(indent('ab\n\nc\n'), '  ab\n\n  c\n')
  assert.equal(indent('a', '> '), '> a')
})

test('printable() shows what would drive a terminal, and keeps tabs, lines and letters', () => {
  assert.equal(printable('\x1b[2J\0\x08\x7f\x9f'), '\\x1b[2J\\x00\\x08\\x7f\\x9f')
  assert.equal(printable('a\tb\nc é\u00a0🐋'), 'a\tb\nc é\u00a0🐋')
})

test('table() aligns by characters, without blanks at the ends, and gives what stands last no room', () => {
  const rows = [
    ['NAME', 'STATE', 'PORTS'],
    ['wéb🐋', 'up', 'a long list of them'],
    ['a', 'exited', ''],
    ['alone, and long'],
  ]
  assert.equal(
    table(rows),
    ['NAME   STATE    PORTS', 'wéb🐋   up       a long list of them', 'a      exited', 'alone, and long'].join('\n'),
  )
  assert.equal(
    table(
      [
        ['a', 'b'],
        ['cc', 'd'],
      ],
      { gap: 1, least: 6 },
    ),
    'a     b\ncc    d',
  )
})
