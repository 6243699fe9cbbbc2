/** How the run of all tests ends. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command } from '../support/command.ts'

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
