import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { keeperCommand, keeperEnvironment } from '../../src/holding/start.ts'
import { isOwnProgram, ownProgram } from '../../src/installation/own-program.ts'
import { programOf } from '../../src/installation/programs.ts'

describe('ownProgram()', () => {
  for (const name of ['engine', 'keeper', 'redirect'] as const)
    test(`names a file of this installation that starts the ${name}, and the one file knows it by its word`, () => {
      const words = ownProgram(name, ['--expose-gc'])
      assert.equal(words[0], process.execPath)
      assert.ok(existsSync(words.at(-1)!), words.at(-1))
      assert.deepEqual(words.slice(1, -1), ['--disable-warning=ExperimentalWarning', '--expose-gc'])
      assert.equal(isOwnProgram(words, name), true)
      assert.equal(isOwnProgram(['/usr/bin/tscompose', `@${name}`], name), true)
      assert.equal(programOf(`@${name}`).isNamed, true)
    })

  test('an engine is no keeper, and no file that is only called like it', () => {
    assert.equal(isOwnProgram(ownProgram('engine'), 'keeper'), false)
    assert.equal(isOwnProgram(['node', '/home/me/engine/start.cjs'], 'engine'), false)
    assert.equal(isOwnProgram(['node', '/clone/src/engine/main.ts'], 'engine'), true)
    for (const [folder, path] of [
      ['/clone', 'src/engine/main.ts'],
      ['/clone/src', './engine/main.ts'],
      ['/clone/src/engine', 'start.cjs'],
      ['/clone/test', '../src/engine/main.ts'],
    ] as const)
      assert.equal(isOwnProgram(['node', path], 'engine', folder), true, `${path} in ${folder}`)
    assert.equal(isOwnProgram(['node', 'src/engine/main.ts'], 'keeper', '/clone'), false)
    assert.equal(isOwnProgram(['node', 'engine/main.ts'], 'engine', '/home/me'), false)
  })
})

test('what is no word of another program is a command line', () => {
  for (const word of [undefined, 'up', '@nothing', '--file', '@toString', 'engine'])
    assert.deepEqual([programOf(word).isNamed, programOf(word).program.asset], [false, 'cli.js'])
})

test('a keeper is told the same from files and out of the one file, and has one arena of memory', () => {
  const words = keeperCommand({ host: 'unix:///run/engine.sock', env: {}, uid: 0, socket: '/run/keeper.sock' })
  const flags = words.slice(2, words.indexOf('--host') - 1)
  assert.deepEqual(flags, programOf('@keeper').program.flags)
  assert.ok(flags.includes('--no-opt') && flags.includes('--no-maglev'), flags.join(' '))
  assert.equal(keeperEnvironment({ env: {}, uid: 0 })['MALLOC_ARENA_MAX'], '1')
})
