/** The table of escapes is whole: each entry of the catalogue is in it, and each test that it names is there. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { shared } from '../support/needs.ts'
import { tried } from './coverage.ts'

const tests = fileURLToPath(new URL('..', import.meta.url))
const catalogue = shared('security/ESCAPES.md')

/** "A1" to "H12", and "I" for the surface of the kernel, as the catalogue sets them in bold or as headings. */
function entriesOf(text: string): readonly string[] {
  const numbered = [...text.matchAll(/\*\*([A-H]\d+)\b/g)].map(([, id]) => id!)
  const whole = [...text.matchAll(/^## ([A-Z])\. /gm)].map(([, id]) => id!)
  return [...numbered, ...whole.filter(id => !numbered.some(entry => entry.startsWith(id)))]
}

/** Names of tests and of groups of them in a file: the texts after test(, it( and describe(, whatever their quotes. */
function namesIn(source: string): readonly string[] {
  return [...source.matchAll(/\b(?:test|it|describe)\(\s*(['"`])((?:\\.|(?!\1).)*)\1|\b(?:test|it)\((what)\b/gs)].map(
    ([, , name, what]) => (what ? '${what}' : name!.replaceAll("\\'", "'")),
  )
}

describe('escapes', () => {
  test('each entry of the catalogue is tried, or there is a reason', {
    skip: catalogue ? false : 'needs ../shared/security, which is not here',
  }, () => {
    const entries = entriesOf(readFileSync(catalogue!, 'utf8'))
    assert.ok(entries.length > 70, `${entries.length} entries`)
    assert.deepEqual(
      entries.filter(entry => !Object.hasOwn(tried, entry)),
      [],
      'not in test/escapes/coverage.ts',
    )
    assert.deepEqual(
      Object.keys(tried).filter(entry => !entries.includes(entry)),
      [],
      'not in the catalogue',
    )
  })

  test('an entry that the table lacks is noticed', () =>
    assert.deepEqual(entriesOf('**A1 CVE-1** x **H12** y\n## I. Kernel\n**Z9 CVE**\n'), ['A1', 'H12', 'I']))

  for (const [entry, by] of Object.entries(tried))
    test(`${entry} names tests that are there`, () => {
      if ('none' in by) {
        assert.ok(by.none.length > 20)
        return
      }
      assert.ok(by.length > 0)
      for (const [file, name] of by) {
        const path = join(tests, file)
        assert.ok(existsSync(path), file)
        assert.notEqual(name, '')
        const names = namesIn(readFileSync(path, 'utf8'))
        assert.ok(
          names.some(found => found.startsWith(name)),
          `${file} has no test "${name}…":\n${names.join('\n')}`,
        )
      }
    })
})
