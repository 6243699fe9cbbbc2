import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { commands } from '../../src/cli/commands.ts'
import { manPages } from '../../src/cli/man.ts'
import type { OptionSpec } from '../../src/cli/options.ts'
import { which } from '../support/needs.ts'

const pages = await manPages(commands, '0.1.0')

describe('man pages', () => {
  test('there is one of each command and one of all', () => {
    assert.equal(pages.length, commands.length + 1)
    for (const { name } of commands)
      assert.ok(pages[0]!.text.includes(`tscompose\\-${name.replaceAll(/[ -]/g, '\\-')}`), name)
  })

  for (const row of commands)
    test(`tscompose ${row.name}: its page has every option, each line of text as text`, async () => {
      const { text } = pages.find(({ name }) => name === `tscompose-${row.name.replaceAll(' ', '-')}.1`)!
      const { options } = await row.load()
      for (const [name, { about }] of Object.entries(options as Readonly<Record<string, OptionSpec>>)) {
        assert.ok(text.includes(`\\-\\-${name.replaceAll('-', '\\-')}`), name)
        assert.ok(text.includes(about.replaceAll('-', '\\-').replaceAll('…', '...').slice(0, 20)), about)
      }
      const macros = text.split('\n').filter(line => /^[.']/.test(line))
      for (const line of macros) assert.match(line, /^\.(TH|SH|SS|TP|B|BR)( |$)/)
    })

  test('a reader of manual pages finds nothing wrong', t => {
    if (which('groff') === undefined) return t.skip('groff is not installed')
    for (const { name, text } of pages) {
      const { status, stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww'], {
        input: text,
        encoding: 'utf8',
      })
      assert.deepEqual([status, stderr], [0, ''], name)
      assert.ok(stdout.length > 200, name)
    }
  })
})
