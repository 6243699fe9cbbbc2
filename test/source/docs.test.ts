/** The documents about the code, held against the code. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commands } from '../../src/cli/commands.ts'
import { long, unitsOf } from '../units.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

test('src/README.md names only files and folders that exist', () => {
  const named = [...read('src/README.md').matchAll(/`((?:[\w.-]+\/)*[\w.-]+(?:\.ts|\.c|\.h|\/))`/g)].map(m => m[1]!)
  assert.ok(named.length > 30, 'the walk names the files it walks through')
  const missing = named.filter(path => !existsSync(join(root, 'src', path)) && !existsSync(join(root, path)))
  assert.deepEqual(missing, [])
})

test('README.md names only npm scripts that exist', () => {
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts)
  const named = [...read('README.md').matchAll(/npm run ([\w:]+)/g)].map(m => m[1]!)
  assert.ok(named.length > 2)
  assert.deepEqual(
    named.filter(name => !scripts.includes(name)),
    [],
  )
})

test('npm test runs every test there is, once', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  assert.match(scripts['test']!, /npm run --silent check$/)
  assert.match(scripts['check']!, / && node test\/run\.ts$/)
  const all = globSync('test/**/*.test.ts', { cwd: root, exclude: ['**/node_modules/**'] })
  assert.deepEqual(
    unitsOf(root)
      .flatMap(({ files }) => files)
      .sort(),
    all.sort(),
  )
  assert.deepEqual(
    long.filter(file => !all.includes(file)),
    [],
    'files that are begun first',
  )
})

test('README.md and the examples name only commands that exist', () => {
  const known = new Set(commands.map(({ name }) => name.split(' ')[0]!))
  const documents = [
    'README.md',
    ...readdirSync(join(root, 'examples'), { withFileTypes: true })
      .filter(e => e.isDirectory())
      .map(e => `examples/${e.name}/README.md`),
  ]
  for (const document of documents) {
    const named = [...read(document).matchAll(/^(?:\$ )?tscompose ([a-z]+)/gm)].map(m => m[1]!)
    assert.ok(named.length > 0, `${document} shows commands`)
    assert.deepEqual(
      named.filter(name => !known.has(name)),
      [],
      document,
    )
  }
})

test('CHANGELOG.md has an Unreleased section on top', () => {
  assert.match(read('CHANGELOG.md'), /^# Changelog[\s\S]*?\n## \[?Unreleased\]?\n/)
})
