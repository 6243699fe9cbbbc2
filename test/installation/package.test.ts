/** What a package of files holds works without the sources: the command line, and the process that commands are handed to. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { koffi, makeTree, place } from '../../.ci/package/tree.ts'
import { command } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const folder = mkdtempSync(join(tmpdir(), 'tscompose-package-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('a package takes commands without its sources, plainly and handed over', async () => {
  const tree = join(folder, 'tree')
  await makeTree(root, tree)
  for (const path of [...koffi, 'node_modules/node/bin/node']) place(path, root, tree)
  assert.equal(existsSync(join(tree, 'src/cli/main.ts')), false)
  const env = { TSCOMPOSE_WARM_FOLDER: folder, HOME: folder, TSCOMPOSE_STATE: join(folder, 'state') }
  const options = { cwd: join(tree, 'examples/hello'), env: { ...env, TSCOMPOSE_WARM: '0' } }
  const asked = ['config', '--services']
  const wanted = { code: 0, stdout: 'hello\n', stderr: '' }
  assert.deepEqual(await command(join(tree, 'src/cli/tscompose'), asked, options), wanted)

  const start = join(tree, 'src/cli/start.cjs')
  const { dev, ino } = statSync(start)
  const socket = join(folder, `tscompose-warm-${dev.toString(16)}-${ino.toString(16)}`)
  const warm = { ...options, env: { ...env, TSCOMPOSE_WARM: '1' } }
  const waiting = spawn(process.execPath, ['--', join(tree, 'src/warm/start.cjs'), socket], {
    env: { ...process.env, ...warm.env },
    stdio: 'ignore',
  })
  const ended = once(waiting, 'exit')
  try {
    await eventually('a process that waits', () => existsSync(socket), 30_000)
    // stands in for Node, so that nothing is done plainly
    const plainly = join(folder, 'plainly')
    writeFileSync(plainly, '#!/bin/sh\nexit 97\n', { mode: 0o755 })
    const said = await eventually('a process that takes a command', async () => {
      const answer = await command(join(tree, 'native/build/launch'), [plainly, start, ...asked], warm)
      return answer.code === 97 ? undefined : answer
    })
    assert.deepEqual(said, wanted)
  } finally {
    waiting.kill('SIGKILL')
    await ended
  }
})
