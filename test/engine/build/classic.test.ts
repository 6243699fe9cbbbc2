/** POST /build: what is refused before its first line, and what its last lines say. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import type { BuildLine } from '../../../src/api/json-lines.ts'
import { buildClassic } from '../../../src/engine/build/classic/classic.ts'
import type { ClassicQuery } from '../../../src/engine/build/classic/classic-request.ts'
import { tinyTar } from '../../support/tiny-image.ts'
import { Box } from './builder-box.ts'

async function lines(box: Box, dockerfile: string, query: ClassicQuery = {}): Promise<readonly BuildLine[]> {
  const found: BuildLine[] = []
  await buildClassic(box, {
    query,
    registryConfig: undefined,
    body: Readable.from([await tinyTar({ Dockerfile: dockerfile })]),
    onLine: line => found.push(line),
    signal: new AbortController().signal,
  })
  return found
}

describe('an error of POST /build', () => {
  const refused: ReadonlyArray<readonly [why: string, dockerfile: string, query: ClassicQuery, message: RegExp]> = [
    ['instruction', 'FROM base:1\nNOSUCH x\n', {}, /^dockerfile parse error on line 2: unknown instruction: NOSUCH/],
    ['target', 'FROM base:1 AS a\n', { target: 'nosuch' }, /^target stage "nosuch" could not be found/],
    ['Dockerfile', 'FROM base:1\n', { dockerfile: 'nosuch' }, /open nosuch: no such file or directory/],
    ['tag', 'FROM base:1\nRUN true\n', { t: ['UPPER'] }, /^invalid reference format: .* must be lowercase/],
  ]
  for (const [what, dockerfile, query, message] of refused)
    test(`in its ${what} refuses it before anything is looked up or made`, async t => {
      const box = await Box.open(t)
      await assert.rejects(lines(box, dockerfile, query), { message })
      assert.equal(box.commands.length, 0)
    })

  const told: ReadonlyArray<readonly [what: string, dockerfile: string, line: number, message: RegExp]> = [
    ['base that cannot be had', 'FROM 127.0.0.1:1/none\n', 1, /^127\.0\.0\.1:1\/none: Cannot reach registry/],
    ['base of a later stage', 'FROM base:1 AS a\nFROM 127.0.0.1:1/none\n', 2, /^127\.0\.0\.1:1\/none: Cannot reach/],
    ['image to copy from', 'FROM base:1\nCOPY --from=127.0.0.1:1/none a /\n', 2, /Cannot reach registry/],
    ['name that is no image', 'FROM UPPER\n', 1, /must be lowercase/],
  ]
  for (const [what, dockerfile, line, message] of told)
    for (const q of [false, true])
      test(`in a ${what} is its last line, after where it stands${q ? ', also where little is to be said' : ''}`, async t => {
        const box = await Box.open(t)
        const [place, last, ...more] = await lines(box, dockerfile, { q })
        assert.match(place!.stream!, new RegExp(`^Dockerfile:${line}\n[^]*>>> ${dockerfile.split('\n')[line - 1]}\n`))
        assert.match(last!.error!, message)
        assert.deepEqual(last!.errorDetail, { message: last!.error })
        assert.deepEqual(more, [])
      })
})

describe('build arguments that no ARG declares', () => {
  const said = async (box: Box, dockerfile: string, names: readonly string[], query: ClassicQuery = {}) => {
    const buildargs = JSON.stringify(Object.fromEntries(names.map((name, i) => [name, i === 0 ? null : 'x'])))
    const all = await lines(box, dockerfile, { ...query, buildargs })
    return all.flatMap(({ stream = '' }) => /^\[Warning\] .*\[(.*)\] were not consumed\n$/.exec(stream)?.[1] ?? [])
  }

  test('are named, but for those of proxies', async t => {
    const box = await Box.open(t)
    assert.deepEqual(await said(box, 'FROM base:1\n', ['Y', 'HTTP_PROXY', 'no_proxy', 'X']), ['X Y'])
    assert.deepEqual(await said(box, 'FROM base:1\n', ['X'], { q: true }), [])
    assert.deepEqual(await said(box, 'FROM base:1\n', []), [])
  })

  test('are declared above the stages, in any up to the target, and by triggers', async t => {
    const box = await Box.open(t)
    const dockerfile = 'ARG A\nFROM base:1 AS one\nARG B\nFROM base:1 AS two\nARG C=1\nFROM base:1 AS three\nARG D\n'
    assert.deepEqual(await said(box, dockerfile, ['A', 'B', 'C', 'D'], { target: 'two' }), ['D'])
    await lines(box, 'FROM base:1\nONBUILD ARG E\n', { t: ['parent:1'] })
    assert.deepEqual(await said(box, 'FROM parent:1\n', ['D', 'E']), ['D'])
  })
})
