import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { copyContent } from '../../../src/engine/base/copy-content.ts'
import { temporaryFolder } from '../../support/temporary-paths.ts'

const mega = 1024 * 1024

type Data = readonly (readonly [at: number, text: string])[]

describe('content of a file is copied', () => {
  const cases: readonly (readonly [what: string, size: number, data: Data])[] = [
    [
      'with holes before, between and after its data',
      8 * mega,
      [
        [mega, 'one'],
        [3 * mega + 5, 'two'],
      ],
    ],
    [
      'that begins and ends with data',
      8 * mega,
      [
        [0, 'begin'],
        [8 * mega - 3, 'end'],
      ],
    ],
    ['that is one hole', 8 * mega, []],
    ['whole', 5, [[0, 'whole']]],
    ['in pieces, when much of it is data', 8 * mega, [[2 * mega, 'x'.repeat(3 * mega)]]],
  ]
  for (const [what, size, data] of cases)
    test(what, async t => {
      const folder = temporaryFolder(t)
      const [from, to] = [join(folder, 'from'), join(folder, 'to')]
      const fd = openSync(from, 'wx')
      for (const [at, text] of data) writeSync(fd, text, at)
      ftruncateSync(fd, size)
      closeSync(fd)
      const stat = statSync(from)
      await copyContent(from, to, stat)
      assert.ok(readFileSync(to).equals(readFileSync(from)))
      assert.equal(statSync(to).size, size)
      // a file system may keep some bytes of its own with it
      assert.ok(statSync(to).blocks <= stat.blocks + 8, `${stat.blocks} blocks became ${statSync(to).blocks}`)
    })
})
