import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFailure, messageOf } from '../../src/lib/failure.ts'
import { load, loadFiles } from './stacks.ts'

const bomb = `a: &a [${'x,'.repeat(9)}]\n${'bcdefghijkl'
  .split('')
  .map((letter, i) => `${letter}: &${letter} [${Array(9).fill(`*${'abcdefghijkl'[i]}`).join(',')}]`)
  .join('\n')}\n`

const hostile: ReadonlyArray<readonly [what: string, content: string | Uint8Array, said: RegExp]> = [
  ['an alias bomb', bomb, /stand for more than/],
  ['a circular anchor', 'a: &a [*a]\n', /contains itself/],
  ['an unknown anchor', 'a: *b\n', /no anchor "&b"/],
  ['brackets nested 100,000 deep', `a: ${'['.repeat(100_000)}`, /nested/],
  ['brackets spread over lines', `a:\n${'[\n'.repeat(50_000)}`, /nested/],
  ['dashes nested 50,000 deep', `${'- '.repeat(50_000)}x`, /nested/],
  ['blocks nested 1,000 deep', Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), /nested/],
  [
    'blocks nested 3,000 deep',
    Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    /nested too deep/,
  ],
  ['variables nested 5,000 deep', `services: {a: {image: "${'${A:-'.repeat(5000)}${'}'.repeat(5000)}"}}`, /nested/],
  ['a million values', `x-a: [${'a,'.repeat(1_000_000)}]`, /more than 400,000 values/],
  ['a file larger than any stack', Buffer.alloc(17 * 1024 * 1024, '#'), /larger than 16 MiB/],
  ['a NUL byte', 'services: {a: {image: "x\0y"}}', /control character U\+0000/],
  ['an escaped NUL', 'services: {a: {image: "x\\0y"}}', /NUL character/],
  ['a control character', 'services: {a: {image: x\x07}}', /control character U\+0007/],
  ['bytes that are no UTF-8', Buffer.from([0x61, 0x3a, 0xe9, 0x0a]), /not UTF-8/],
  ['duplicate keys', 'services: {a: {image: x}, a: {image: y}}', /"a" twice/],
  ['a key that is no string', 'services: {1: {image: x}}', /"1" as a key/],
  ['a mapping as a key', '? {a: b}\n: c\n', /as a key/],
  ['a prototype key where keys are known', 'services: {a: {image: x, __proto__: {}}}', /key "__proto__"/],
  ['5,000 unknown keys', Array.from({ length: 5000 }, (_, i) => `k${i}: 1`).join('\n'), /key "k4999"/],
  ['a merge key of a scalar', 'services: {a: {<<: x}}', /needs a mapping/],
  ['a name with ".."', 'services: {"../../etc": {image: x}}', /name "\.\.\/\.\.\/etc"/],
]

describe('hostile input is refused with a clear error and no long work', () => {
  for (const [what, content, said] of hostile)
    test(what, async () => {
      const began = performance.now()
      await assert.rejects(loadFiles({ 'compose.yaml': content }), error => {
        assert.ok(isFailure(error, 'invalid'), `not a Failure: ${error}`)
        assert.match(messageOf(error), said)
        return true
      })
      // milliseconds on an idle machine; what explodes takes minutes, and a busy machine is no failure
      assert.ok(performance.now() - began < 10_000, `took ${Math.round(performance.now() - began)} ms`)
    })
})

test('services called __proto__, constructor and toString are only names', async () => {
  const { project } = await load(
    'services:\n  __proto__: {image: a}\n  constructor: {image: b, environment: {__proto__: x}}\n  toString: {image: c, depends_on: [__proto__]}\n',
  )
  assert.deepEqual(Object.keys(project.services).sort(), ['__proto__', 'constructor', 'toString'])
  assert.deepEqual(Object.keys(project.services['constructor' as string]!.environment), ['__proto__'])
  assert.equal(({} as { image?: string }).image, undefined)
})
