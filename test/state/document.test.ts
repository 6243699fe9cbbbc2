import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { isFailure } from '../../src/lib/failure.ts'
import { createDocument, readDocument, writeDocument } from '../../src/state/document.ts'

const folder = mkdtempSync(join(tmpdir(), 'document-'))
after(() => rmSync(folder, { recursive: true }))

describe('documents', () => {
  test('writeDocument() makes the folder, for its owner only, and leaves nothing beside the document', () => {
    const path = join(folder, 'made/a.json')
    writeDocument(path, '{"version":1,"a":1}')
    writeDocument(path, '{"version":1,"a":2}')
    assert.deepEqual(readDocument(path, 1), { version: 1, a: 2 })
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(join(folder, 'made')).mode & 0o777, 0o700)
    assert.deepEqual(readdirSync(join(folder, 'made')), ['a.json'])
  })

  test('createDocument() leaves one that is there alone', () => {
    const path = join(folder, 'created/a.json')
    assert.equal(createDocument(path, '{"version":1,"a":1}'), true)
    assert.equal(createDocument(path, '{"version":1,"a":2}'), false)
    assert.deepEqual(readDocument(path, 1), { version: 1, a: 1 })
    assert.deepEqual(readdirSync(join(folder, 'created')), ['a.json'])
  })

  test('readDocument() gives undefined for what is not there', () => {
    assert.equal(readDocument(join(folder, 'none.json'), 1), undefined)
  })

  for (const [what, text, kind, words] of [
    ['a torn document', '{"version":1,"a"', 'internal', /it is not whole/],
    ['an empty one', '', 'internal', /it is not whole/],
    ['a list', '[]', 'internal', /it is no document/],
    ['a newer one', '{"version":2}', 'unsupported', /its version is 2, 1 is known/],
    ['one without a version', '{}', 'unsupported', /its version is missing/],
  ] as const)
    test(`readDocument() refuses ${what} and names it`, () => {
      const path = join(folder, 'bad.json')
      writeFileSync(path, text)
      assert.throws(
        () => readDocument(path, 1),
        error => isFailure(error, kind) && words.test(error.message) && error.message.includes(path),
      )
    })

  test('writeDocument() names what it cannot write', () => {
    writeFileSync(join(folder, 'file'), '')
    assert.throws(
      () => writeDocument(join(folder, 'file/a.json'), '{}'),
      error => isFailure(error, 'internal') && /Cannot write ".*file\/a.json": EEXIST/.test(error.message),
    )
  })
})
