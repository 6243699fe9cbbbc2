import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { control, solveRequest, vertex } from '../../../src/api/buildkit/control.ts'
import { decodeKey, encodeKeys, fileStat } from '../../../src/api/buildkit/file-sync.ts'
import { field, list, map, message } from '../../../src/api/buildkit/message.ts'
import { millisecondsOf, timestampOf } from '../../../src/api/buildkit/operations.ts'
import { isFailure } from '../../../src/lib/failure.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const invalid = (error: unknown): boolean => isFailure(error, 'invalid')

describe('message()', () => {
  const inner = message({ name: field(1, 'string') })
  const outer = message({
    text: field(1, 'string'),
    flag: field(2, 'bool'),
    big: field(3, 'int64'),
    inner: field(4, inner),
    many: list(5, inner),
    named: map(6, inner),
    numbers: list(7, 'int32'),
    exact: field(8, 'bigint'),
  })

  test('encodes as protoc does', () => {
    const bytes = outer.encode({
      text: 'a',
      flag: true,
      big: -1,
      inner: { name: 'x' },
      named: new Map([['k', { name: 'v' }]]),
    })
    assert.equal(hex(bytes), '0a0161' + '1001' + '18ffffffffffffffffff01' + '22030a0178' + '32080a016b12030a0176')
  })

  test('decodes what it encoded', () => {
    const value = {
      text: 'grün',
      flag: true,
      big: 1_700_000_000_000,
      inner: { name: '' },
      many: [{ name: 'a' }, { name: 'b' }],
      named: new Map([['k', { name: 'v' }]]),
      numbers: [1, -2],
      exact: 1_700_000_000_123_456_789n,
    }
    assert.deepEqual(outer.decode(outer.encode(value)), value)
    assert.equal(outer.decode(outer.encode({ exact: -1_700_000_000_123_456_789n })).exact, -1_700_000_000_123_456_789n)
  })

  test('gives what is absent its default', () => {
    assert.deepEqual(outer.decode(new Uint8Array(0)), {
      text: '',
      flag: false,
      big: 0,
      inner: undefined,
      many: [],
      named: new Map(),
      numbers: [],
      exact: 0n,
    })
    assert.deepEqual(inner.decode(Buffer.from('0a00', 'hex')), { name: '' })
    assert.deepEqual(outer.decode(Buffer.from('3203' + '0a016b', 'hex')).named, new Map([['k', { name: '' }]]))
  })

  test('skips fields it does not know, and takes numbers in one piece or each alone', () => {
    assert.deepEqual(inner.decode(Buffer.from('980601' + '0a0178' + 'a2060161', 'hex')), { name: 'x' })
    assert.deepEqual(outer.decode(Buffer.from('3a03010203' + '3804', 'hex')).numbers, [1, 2, 3, 4])
  })

  test('refuses what is cut short, of another type, too large or too deep', () => {
    assert.throws(() => inner.decode(Buffer.from('0a0561', 'hex')), invalid)
    assert.throws(() => inner.decode(Buffer.from('0801', 'hex')), invalid)
    assert.throws(() => outer.decode(Buffer.from('18ffffffffffffffff7f', 'hex')), invalid)
    assert.throws(() => outer.decode(Buffer.from('22020a05', 'hex')), invalid)
    // field 4 reaches to the end of the message inside it
    assert.throws(() => outer.decode(Buffer.from('22030a0561626364', 'hex')), invalid)
    assert.throws(() => inner.decode(Buffer.from('9b06'.repeat(200), 'hex')), invalid)
  })
})

describe('messages of BuildKit', () => {
  test('a request holds what its writer gave it', () => {
    const bytes = solveRequest.encode({
      ref: 'r',
      frontendAttributes: new Map([['build-arg:A', '1']]),
      exporters: [{ type: 'moby', attributes: new Map([['name', 'a:b']]) }],
      cache: { imports: [{ type: 'registry' }] },
    })
    const read = solveRequest.decode(bytes)
    assert.equal(read.frontendAttributes.get('build-arg:A'), '1')
    assert.equal(read.exporters[0]?.attributes.get('name'), 'a:b')
    assert.equal(read.cache?.imports[0]?.type, 'registry')
    assert.equal(read.definition, undefined)
  })

  test('methods know their paths', () => {
    assert.equal(control.solve.path, '/moby.buildkit.v1.Control/Solve')
    assert.equal(control.listenBuildHistory.kind, 'responses')
  })

  test('a vertex carries the reason of its miss where others look for nothing', () => {
    assert.equal(vertex.decode(vertex.encode({ missed: 'ARG V: 1 → 2' })).missed, 'ARG V: 1 → 2')
  })

  test('times keep their fraction', () => {
    assert.deepEqual(timestampOf(1_700_000_000_250.5), { seconds: 1_700_000_000, nanos: 250_500_000 })
    assert.equal(millisecondsOf({ seconds: 1, nanos: 500_000 }), 1000.5)
    const modified = 1_700_000_000_123_456_789n
    assert.equal(fileStat.decode(fileStat.encode({ modified })).modified, modified)
  })

  test('patterns beyond ASCII are percent-encoded, and said to be', () => {
    const keys = encodeKeys(
      new Map([
        ['a', ['*.md', 'x,y%']],
        ['b', ['grün/**', '50%']],
        ['c', []],
      ]),
    )
    assert.deepEqual(
      [...keys],
      [
        ['a', ['*.md', 'x,y%']],
        ['b', ['gr%C3%BCn%2F**', '50%25']],
        ['b-encoded', ['1']],
      ],
    )
    assert.deepEqual(decodeKey(keys, 'b'), ['grün/**', '50%'])
    assert.deepEqual(decodeKey(keys, 'a'), ['*.md', 'x,y%'])
    assert.deepEqual(
      decodeKey(
        new Map([
          ['k', ['a+b%2Bc']],
          ['k-encoded', ['1']],
        ]),
        'k',
      ),
      ['a b+c'],
    )
    assert.throws(
      () =>
        decodeKey(
          new Map([
            ['k', ['%zz']],
            ['k-encoded', ['1']],
          ]),
          'k',
        ),
      invalid,
    )
  })
})
