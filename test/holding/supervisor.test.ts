import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { supervised } from '../../src/holding/supervisor.ts'
import { eventually } from '../support/eventually.ts'

describe('supervised()', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsc-supervised-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs a script under it, which finds the name of a file of its own in $1, and "a b" in $2. */
  const run = (name: string, script: string, env: NodeJS.ProcessEnv = process.env) => {
    const file = join(folder, name)
    writeFileSync(file, '')
    const [path, ...args] = supervised(['/bin/sh', '-c', script, 'program', file, 'a b'])
    const child = spawn(path!, args, { stdio: ['ignore', 'ignore', 'pipe'], env })
    let said = ''
    child.stderr.on('data', piece => {
      said += piece
    })
    const ended = once(child, 'close').then(([code]) => code as number | null)
    return { child, ended, lines: () => readFileSync(file, 'utf8').split('\n').filter(Boolean), said: () => said }
  }

  test('runs the program again when it dies, by a signal too, and says so; not when it has nothing more to do', async () => {
    const runs = '[ "$(wc -l <"$1")" -lt'
    const { ended, lines, said } = run(
      'dies',
      `echo "$2" >>"$1"; ${runs} 2 ] && exit 1; ${runs} 3 ] && kill -KILL $$; exit 0`,
    )
    assert.equal(await ended, 0)
    assert.deepEqual(lines(), ['a b', 'a b', 'a b'])
    assert.match(said(), /^\S+Z keeper: it has ended with 1, and is started again in 0 s$/m)
    assert.match(said(), /keeper: it has ended with 137, and is started again in 1 s$/m)
  })

  test('ends with one that finds another in its place', async () => {
    const { ended, lines } = run('conflict', 'echo >>"$1" once; exit 75')
    assert.equal(await ended, 75)
    assert.deepEqual(lines(), ['once'])
  })

  test('passes on a signal, and waits for the end that follows', async () => {
    const { child, ended, lines } = run(
      'told',
      `trap 'sleep 0.2; echo ended >>"$1"; exit 1' TERM; echo begun >>"$1"; while :; do sleep 0.05; done`,
    )
    await eventually('it runs', () => lines().includes('begun'))
    child.kill('SIGTERM')
    assert.equal(await ended, 1)
    assert.deepEqual(lines(), ['begun', 'ended'])
  })

  test('ends at a signal while it waits to start the program again', async () => {
    const { child, ended, lines, said } = run('waits', 'echo >>"$1" run; exit 3')
    await eventually('a long wait', () => /started again in 2 s/.test(said()))
    child.kill('SIGTERM')
    assert.equal(await ended, 1)
    assert.deepEqual(lines(), ['run', 'run', 'run'])
  })

  test('ends at a signal that comes before the pause has begun', async () => {
    const programs = join(folder, 'programs')
    mkdirSync(programs)
    const shim = (name: string, script: string) =>
      writeFileSync(join(programs, name), `#!/bin/sh\nPATH=\${PATH#*:}\n${script}\n`, { mode: 0o755 })
    const slept = join(folder, 'slept')
    // a signal while it says what happens next: by then the program's process may be another's
    shim('date', `[ "$1" != -u ] || [ ! -s '${slept}' ] || kill -TERM "$PPID"; exec date "$@"`)
    shim('sleep', `echo "$1" >>'${slept}'; exec sleep "$1"`)
    writeFileSync(slept, '')
    const { ended } = run('early', 'exit 3', { ...process.env, PATH: `${programs}:${process.env['PATH']}` })
    assert.equal(await ended, 1)
    assert.deepEqual(readFileSync(slept, 'utf8').split('\n').filter(Boolean), ['1'])
  })
})
