/** How the run of all tests ends. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command } from '../support/command.ts'
import { entryOf } from '../units.ts'

const program = fileURLToPath(new URL('../run.ts', import.meta.url))

for (const [what, body, code] of [
  ['with 0 when all have passed', 'test("one", () => {})', 0],
  ['with 1 when one has failed', 'test("one", () => {}); test("two", () => { throw new Error("no") })', 1],
] as const)
  test(`test/run.ts ends ${what}, and has told of all`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'tsc-run-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'some.test.mjs')
    writeFileSync(file, `import { test } from 'node:test'\n${body}\n`)
    // a run within a run would be skipped
    const said = await command(process.execPath, [program, file], { env: { NODE_TEST_CONTEXT: undefined } })
    assert.equal(said.code, code, said.stdout + said.stderr)
    assert.match(said.stdout, /^✔ one/m)
    assert.match(said.stdout, /^ℹ duration_ms/m)
  })

test('the files of a folder share a process, each with its own hooks, and one that cannot be read is one that has failed', async t => {
  const root = mkdtempSync(join(tmpdir(), 'tsc-run-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const hooks = ['before', 'beforeEach', 'afterEach', 'after'].map(hook => `${hook}(() => console.log('# ${hook}'))`)
  const files = {
    a: [...hooks, `test('of a', () => {})`],
    b: ['syntax error'],
    c: [`test('of c', () => console.log('# c'))`],
  }
  for (const [name, body] of Object.entries(files))
    writeFileSync(
      join(root, `${name}.mjs`),
      [`import { ${name === 'a' ? 'after, afterEach, before, beforeEach, ' : ''}test } from 'node:test'`, ...body].join(
        '\n',
      ),
    )
  const entry = entryOf(root, { name: 'test/some', files: Object.keys(files).map(name => `${name}.mjs`) })
  const said = await command(process.execPath, [program, entry], { env: { NODE_TEST_CONTEXT: undefined } })
  assert.equal(said.code, 1)
  assert.deepEqual(said.stdout.match(/^# .*/gm)?.slice(0, 5), [
    '# before',
    '# beforeEach',
    '# afterEach',
    '# after',
    '# c',
  ])
  for (const line of [/^▶ a\.mjs\n {2}✔ of a/m, /^✖ b\.mjs/m, /^▶ c\.mjs\n {2}✔ of c/m]) assert.match(said.stdout, line)
})
