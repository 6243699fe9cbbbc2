import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mapWords, subordinateIds } from '../../src/rootless/ids.ts'

const me = { name: 'me', uid: 1000 }

describe('subordinateIds()', () => {
  test('takes lines of the name and of the number, in their order', () =>
    assert.deepEqual(subordinateIds('you:1:2\nme:100000:65536\n1000:300000:10\n', me), [
      { first: 100_000, count: 65_536 },
      { first: 300_000, count: 10 },
    ]))

  for (const line of ['', '# me', 'me', 'me:x:10', 'me:10:', 'me:10:-5', 'me2:10:5', 'm:10:5'])
    test(`passes over ${JSON.stringify(line)}`, () => assert.deepEqual(subordinateIds(`${line}\n`, me), []))
})

describe('mapWords()', () => {
  const of = { file: '/etc/subuid', name: 'me' }

  test('root inside is the user, the rest follows from 1 on without a gap', () =>
    assert.deepEqual(
      mapWords(
        1000,
        [
          { first: 100_000, count: 60_000 },
          { first: 300_000, count: 10_000 },
        ],
        of,
      ).join(' '),
      '0 1000 1 1 100000 60000 60001 300000 10000',
    ))

  test('takes the usual 65,536', () =>
    assert.equal(mapWords(1000, [{ first: 100_000, count: 65_536 }], of).join(' '), '0 1000 1 1 100000 65536'))

  test('refuses too few, and says which command helps', () =>
    assert.throws(() => mapWords(1000, [{ first: 100_000, count: 1000 }], of), {
      kind: 'unavailable',
      message: 'Cannot start an engine as user "me": /etc/subuid gives it 1000 ids, and images need 65536',
      hint: /usermod --add-subuids .* me$/,
    }))
})
