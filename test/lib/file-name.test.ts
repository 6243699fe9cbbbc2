import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOfName, fsPath, nameOfBytes } from '../../src/lib/file-name.ts'

for (const [what, bytes, name] of [
  ['ASCII', [0x61, 0x2f, 0x62], 'a/b'],
  ['UTF-8', [0xc3, 0xa9], 'é'],
  ['four bytes', [0xf0, 0x9f, 0x90, 0x8b], '🐋'],
  ['Latin-1', [0x63, 0x61, 0x66, 0xe9], 'caf\udce9'],
  ['a character cut short', [0xe2, 0x82, 0x2f, 0x61], '\udce2\udc82/a'],
  ['an encoded surrogate', [0xed, 0xb2, 0x80], '\udced\udcb2\udc80'],
  ['an overlong slash', [0xc0, 0xaf], '\udcc0\udcaf'],
] as const) {
  test(`nameOfBytes() and bytesOfName() lose nothing of ${what}`, () => {
    assert.equal(nameOfBytes(Buffer.from(bytes)), name)
    assert.deepEqual([...bytesOfName(name)], bytes)
  })
}

test('bytesOfName() gives back as a byte nothing but what stands for one', () => {
  const unknown = [0xef, 0xbf, 0xbd]
  assert.deepEqual([...bytesOfName('\udce9🐋')], [0xe9, 0xf0, 0x9f, 0x90, 0x8b])
  assert.deepEqual([...bytesOfName('\udc80\udcff')], [0x80, 0xff])
  assert.deepEqual([...bytesOfName('\udc7f\udd00\ud800')], [...unknown, ...unknown, ...unknown])
})

test('fsPath() gives a path as bytes only where text would not say the same', () => {
  assert.equal(fsPath('/tmp/é'), '/tmp/é')
  assert.deepEqual(fsPath('/tmp/\udce9'), Buffer.from([0x2f, 0x74, 0x6d, 0x70, 0x2f, 0xe9]))
})
