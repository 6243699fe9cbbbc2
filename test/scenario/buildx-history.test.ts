/** Stock buildx asks our engine for the builds that were. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command, type Said } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { lacking, peerPlugin, program, root } from '../support/needs.ts'

const buildx = peerPlugin('docker-buildx')

describe('buildx', {
  skip: lacking(root(), program('busybox'), program('nft'), buildx ? false : 'docker-buildx (of the peers)'),
}, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  const run = (...args: readonly string[]): Promise<Said> =>
    command(buildx!, args, { env: engine.env, timeout: 120_000 })
  const ok = ({ code, stdout, stderr }: Said): string => {
    assert.equal(code, 0, `${stdout}${stderr}\n${engine.log}`)
    return stdout + stderr
  }
  const build = async (name: string, step: string): Promise<Said> => {
    const folder = join(engine.folder, name)
    mkdirSync(folder)
    writeFileSync(join(folder, 'Dockerfile'), `FROM busybox\n${step}\n`)
    return await run('build', '--progress', 'plain', folder)
  }

  test('history lists builds, tells what they said and how they ended, and removes them', async () => {
    const history = async (...args: readonly string[]) => ok(await run('history', ...args))
    ok(await build('good', 'RUN echo first said'))
    assert.equal((await build('bad', 'RUN exit 3')).code, 1)
    const listed = (await history('ls')).trim().split('\n')
    assert.deepEqual(
      listed.slice(1).map(line => line.split(/ +/).slice(1, 3)),
      [
        ['bad', 'Error'],
        ['good', 'Completed'],
      ],
    )
    assert.match(await history('logs'), /^#\d+ ERROR: process "\/bin\/sh -c exit 3" did not complete successfully/m)
    assert.match(await history('logs', '^1'), /^#\d+ [\d.]+ first said$/m)
    assert.match(await history('inspect'), /^Error:\s+.*exit code: 3$/m)
    await history('rm', '--all')
    assert.equal((await history('ls')).trim().split('\n').length, 1)
  })
})
