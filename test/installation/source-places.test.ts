/** Defects of a bundle are told by their places in the sources. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Script } from 'node:vm'
import { bundleProgram, withHeader } from '../../.ci/bundle-program.ts'
import { program, withSources } from '../../src/installation/source-places.ts'

test('a stack of a bundle names file, line and column of the sources', async t => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'tscompose-places-')))
  t.after(() => rmSync(root, { recursive: true }))
  for (const folder of ['src', 'build']) mkdirSync(join(root, folder))
  writeFileSync(
    join(root, 'src/main.ts'),
    "import { fails } from './fails.ts'\n\ninterface Nothing {}\n\nexport const own = import.meta.filename\nexport function start() {\n  fails()\n}\n",
  )
  writeFileSync(
    join(root, 'src/fails.ts'),
    '/** A comment. */\n\nexport function fails(): never {\n  throw new Error("ä defect")\n}\n',
  )
  const made = await bundleProgram('src/main.ts', root)
  const built = join(root, 'build/main.js')
  writeFileSync(`${built}.map`, made.map)
  const exports: { start?: () => void; own?: string } = {}
  new Script(withHeader(made, {}), { filename: built }).runInThisContext()(
    createRequire(import.meta.url),
    exports,
    `file://${root}/`,
    built,
  )
  assert.equal(exports.own, built, 'a program knows what it runs from')
  const stack = stackOf(() => exports.start!())
  assert.match(stack, /main\.js:\d+:\d+/)
  assert.deepEqual(withSources(stack, built).split('\n').slice(0, 3), [
    'Error: ä defect',
    `    at fails (${root}/src/fails.ts:4:9)`,
    `    at exports.start (${root}/src/main.ts:7:3)`.replace('exports.start', nameIn(stack)),
  ])
  rmSync(`${built}.map`)
  assert.equal(withSources(stack, built), stack, 'without a map it is as it was')
})

test('sources are their own places, and run from their folder', () => {
  const stack = stackOf(() => {
    throw new Error('here')
  })
  assert.equal(withSources(stack), stack)
  assert.match(program, /\/src\/$/)
})

/** Of the second frame: how Node calls a function of a bundle is its own matter. */
function nameIn(stack: string): string {
  return /at (\S+) /.exec(stack.split('\n')[2]!)![1]!
}

function stackOf(run: () => void): string {
  try {
    run()
  } catch (error) {
    return (error as Error).stack!
  }
  throw new Error('it did not fail')
}
