/** Which storage driver a data folder gets, tried on the kernel: on an overlay mount there is no overlay. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { chooseDriver } from '../../../src/engine/base/storage-driver.ts'
import { command } from '../../support/command.ts'
import { lacking, root } from '../../support/needs.ts'
import { temporaryFolder } from '../../support/temporary-paths.ts'

const skip = lacking(root())

/** A folder on a tmpfs, which takes overlay, and one on an overlay over it. */
async function folders(t: TestContext, undo: AsyncDisposableStack) {
  const folder = temporaryFolder(t)
  await command('mount', ['-t', 'tmpfs', 'tscompose-test', folder])
  undo.defer(async () => void (await command('umount', ['-R', folder])))
  const [plain, lower, upper, work, onOverlay] = ['plain', 'lower', 'upper', 'work', 'merged'].map(name => {
    const path = join(folder, name)
    mkdirSync(path)
    return path
  }) as [string, string, string, string, string]
  const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
  assert.equal((await command('mount', ['-t', 'overlay', '-o', layers, 'tscompose-test', onOverlay])).code, 0)
  return { plain, onOverlay }
}

test('overlay where it works, whole copies where not, and nothing is left of the trial', {
  skip,
}, async t => {
  await using undo = new AsyncDisposableStack()
  const { plain, onOverlay } = await folders(t, undo)
  const said: string[] = []
  const say = (line: string) => void said.push(line)
  assert.equal(chooseDriver(plain, undefined, say), 'overlay2')
  assert.equal(chooseDriver(plain, 'overlay2', say), 'overlay2')
  assert.deepEqual(said, [])
  assert.equal(chooseDriver(onOverlay, undefined, say), 'vfs')
  assert.match(
    said[0] ?? '',
    /^each container has a whole copy of its image \(vfs\): overlay is refused there: invalid argument$/,
  )
  assert.equal(chooseDriver(plain, 'vfs', say), 'vfs')
  assert.equal(said[1], 'each container has a whole copy of its image (vfs): it is set so')
  assert.throws(() => chooseDriver(onOverlay, 'overlay2', say), {
    kind: 'unavailable',
    message: `Cannot use storage driver "overlay2" in "${onOverlay}": overlay is refused there: invalid argument`,
  })
  for (const folder of [plain, onOverlay]) assert.deepEqual(readdirSync(folder), [])
})
