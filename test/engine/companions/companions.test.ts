import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { Aside } from '../../../src/engine/base/aside.ts'
import { defaultRoots, Paths } from '../../../src/engine/base/paths.ts'
import { Companions } from '../../../src/engine/companions/companions.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { eventually } from '../../support/eventually.ts'

describe('Companions', () => {
  let folder: string
  let said: string[]
  const open: Companions[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tscompose-companions-'))
    said = []
  })
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const make = async (onHopeless: (isLeft: (labels: Record<string, string>) => boolean) => void = () => {}) => {
    const paths = new Paths({ ...defaultRoots, data: join(folder, 'data'), run: join(folder, 'run') })
    const made = await Companions.open({ paths, aside: new Aside(paths, line => said.push(line)), onHopeless })
    open.push(made)
    return made
  }
  const script = (code: string) => [process.execPath, '-e', code]
  const mark = () => join(folder, 'mark')
  const appends = `require('node:fs').appendFileSync(${JSON.stringify('MARK')}, process.pid + '\\n')`
  const writes = (then: string) => script(`${appends.replace('MARK', mark())}; ${then}`)
  /** The lines that are whole: the file is there before its first. */
  const pids = () =>
    existsSync(mark()) ? [...readFileSync(mark(), 'utf8').matchAll(/(\d+)\n/g)].map(([, pid]) => Number(pid)) : []

  test('starts a program when there is an engine to speak to, again when it dies, and after the next start of an engine', async () => {
    const first = await make()
    await first.put('one', { Command: writes('setInterval(() => {}, 1e6)') })
    assert.deepEqual(pids(), [])
    first.start()
    await eventually('its first run', () => pids().length === 1)
    process.kill(pids()[0]!, 'SIGKILL')
    await eventually('its second run', () => pids().length === 2)
    assert.match(said.join('\n'), /Companion "one" was ended by SIGKILL; it is started again in 100 ms/)
    assert.equal(first.list()[0]?.Restarts, 1)
    await first.close()
    assert.throws(() => process.kill(pids()[1]!, 0), /ESRCH/)
    const second = await make()
    second.start()
    await eventually('its third run', () => pids().length === 3)
  })

  test('forgets a program that exits with 0', async () => {
    const companions = await make()
    companions.start()
    await companions.put('one', { Command: writes('') })
    await eventually('its end', () => companions.list().length === 0)
    assert.equal(existsSync(join(folder, 'data/companions/one.json')), false)
    // and starts it again when it is asked for again
    await companions.put('one', { Command: writes('setInterval(() => {}, 1e6)') })
    await eventually('its second run', () => pids().length === 2)
  })

  test('leaves a program alone that is asked for as it is, and replaces it by another', async () => {
    const companions = await make()
    companions.start()
    const command = writes('setInterval(() => {}, 1e6)')
    await companions.put('one', { Command: command })
    await eventually('its run', () => pids().length === 1)
    await companions.put('one', { Command: command, Starts: ['team=a', 'x'] })
    assert.equal(companions.list()[0]?.Pid, pids()[0])
    assert.equal(companions.isLeft({ team: 'a' }), true)
    assert.equal(companions.isLeft({ team: 'b' }), false)
    assert.equal(companions.isLeft({ x: '' }), true)
    await companions.put('one', { Command: [...command, 'more'] })
    await eventually('the other', () => pids().length === 2)
    assert.throws(() => process.kill(pids()[0]!, 0), /ESRCH/)
    assert.equal(companions.isLeft({ team: 'a' }), false)
    await companions.remove('one')
    assert.throws(() => process.kill(pids()[1]!, 0), /ESRCH/)
    await assert.rejects(companions.remove('one'), error => isFailure(error, 'not-found'))
  })

  test('hands back the containers that were left to a program which cannot live', async () => {
    const handed = Promise.withResolvers<(labels: Record<string, string>) => boolean>()
    const companions = await make(handed.resolve)
    companions.start()
    await companions.put('one', { Command: ['/nowhere/at/all'], Starts: ['team=a'] })
    const isLeft = await handed.promise
    assert.equal(isLeft({ team: 'a' }), true)
    assert.equal(isLeft({ team: 'b' }), false)
    assert.match(said.join('\n'), /Companion "one" cannot be started: .*ENOENT/)
  })

  test('refuses a name that is no name of a file', async () => {
    const companions = await make()
    for (const name of ['..', 'a/b', 'A', ''])
      await assert.rejects(companions.put(name, { Command: ['/bin/true'] }), error => isFailure(error, 'invalid'))
  })

  test('ends its input when the engine ends, by which a program knows that it should', async () => {
    const companions = await make()
    companions.start()
    await companions.put('one', {
      Command: writes(
        "process.on('SIGTERM', () => {}); process.stdin.resume(); process.stdin.on('end', () => process.exit(3))",
      ),
    })
    await eventually('its run', () => pids().length === 1)
    await companions.close()
    assert.throws(() => process.kill(pids()[0]!, 0), /ESRCH/)
  })
})
