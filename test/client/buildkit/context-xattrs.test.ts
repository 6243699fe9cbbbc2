import assert from 'node:assert/strict'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { contextXattrs } from '../../../src/client/buildkit/context-xattrs.ts'
import { sendFiles } from '../../../src/client/buildkit/send-files.ts'
import { errnoOf } from '../../../src/lib/failure.ts'
import { setXattr } from '../../../src/runtime/native.ts'
import { temporaryFolder } from '../../support/temporary-paths.ts'

/** A folder with a file that has attributes; undefined (and skipped) where the disk has none. */
function folderWith(t: TestContext, attributes: Readonly<Record<string, Buffer>>): string | undefined {
  const folder = temporaryFolder(t)
  const file = join(folder, 'file')
  writeFileSync(file, 'x')
  try {
    for (const [name, value] of Object.entries(attributes)) setXattr(file, name, value)
  } catch (error) {
    if (errnoOf(error) !== 'EOPNOTSUPP') throw error
    t.skip('needs a temporary folder that keeps extended attributes')
    return undefined
  }
  return folder
}

const attributes = {
  'user.note': Buffer.of(0, 255, 1),
  'user.empty': Buffer.alloc(0),
  'user.overlay.opaque': Buffer.of(121),
}

test("contextXattrs() reads a file's own attributes, none of the host's, and nothing of what is not there", t => {
  const folder = folderWith(t, attributes)
  if (folder === undefined) return
  const found = contextXattrs(Buffer.from(join(folder, 'file')))
  assert.deepEqual(
    [...found!],
    [
      ['user.empty', Buffer.alloc(0)],
      ['user.note', Buffer.of(0, 255, 1)],
    ],
  )
  symlinkSync('file', join(folder, 'link'))
  for (const name of ['link', 'gone']) assert.equal(contextXattrs(Buffer.from(join(folder, name))), undefined)
})

test('sendFiles() tells the attributes of a file', async t => {
  const folder = folderWith(t, attributes)
  if (folder === undefined) return
  const told: (string | undefined)[][] = []
  const packets = (async function* () {})()
  for await (const { stat } of sendFiles(packets, { root: folder, exclude: [], include: [], follow: [] }))
    if (stat?.path) told.push([Buffer.from(stat.path).toString(), ...(stat.xattrs?.keys() ?? [])])
  assert.deepEqual(told, [['file', 'user.empty', 'user.note']])
})
