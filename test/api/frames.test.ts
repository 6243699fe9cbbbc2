import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { decodeOutput, encodeFrame, FrameDecoder, type OutputChunk } from '../../src/api/frames.ts'
import { isFailure } from '../../src/lib/failure.ts'
import { shared } from '../support/needs.ts'

test('encodeFrame() writes the stream, three zeros, the length and the payload', () => {
  assert.equal(encodeFrame('stdout', Buffer.from('out1\n')).toString('hex'), '01000000000000056f7574310a')
  assert.equal(encodeFrame('stderr', Buffer.from('')).toString('hex'), '0200000000000000')
})

test('FrameDecoder gives back what was encoded, however the bytes are cut', () => {
  for (let round = 0; round < 200; round++) {
    const chunks: OutputChunk[] = Array.from({ length: randomInt(1, 12) }, () => ({
      stream: randomInt(2) === 0 ? 'stdout' : 'stderr',
      data: randomBytes(randomInt(0, 300)),
    }))
    const bytes = Buffer.concat(chunks.map(({ stream, data }) => encodeFrame(stream, data)))
    const decoder = new FrameDecoder()
    const found: OutputChunk[] = []
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + randomInt(1, 40))
      found.push(...decoder.push(bytes.subarray(at, end)))
      at = end
    }
    decoder.end()
    assert.deepEqual(joined(found), joined(chunks))
  }
})

test('FrameDecoder passes a payload on as it arrives', () => {
  const decoder = new FrameDecoder()
  const frame = encodeFrame('stdout', Buffer.from('abcdef'))
  assert.deepEqual(
    decoder.push(frame.subarray(0, 10)).map(({ data }) => Buffer.from(data).toString()),
    ['ab'],
  )
})

test('FrameDecoder refuses bytes that are no frames', () => {
  assert.throws(
    () => new FrameDecoder().push(Buffer.from('plain text of a terminal')),
    error => isFailure(error, 'internal'),
  )
})

test('FrameDecoder refuses a stream that ends inside a frame', () => {
  const decoder = new FrameDecoder()
  decoder.push(encodeFrame('stdout', Buffer.from('cut')).subarray(0, 9))
  assert.throws(() => decoder.end(), /middle of a frame/)
})

test('decodeOutput() takes everything as stdout on a terminal', async () => {
  const source = async function* () {
    yield Buffer.from('no frames')
  }
  const found = await Array.fromAsync(decodeOutput(source(), true))
  assert.deepEqual(found, [{ stream: 'stdout', data: Buffer.from('no frames') }])
})

test('decodeOutput() reads what a Docker Engine sent', async t => {
  const path = shared('engine-api/samples/stream-framing.json')
  if (path === undefined) return t.skip('the recorded samples are not on this machine')
  const hex: string = JSON.parse(await readFile(path, 'utf8'))['logs?stdout=1&stderr=1 hex']
  const source = async function* () {
    yield Buffer.from(hex.replaceAll(' ', ''), 'hex')
  }
  const found = await Array.fromAsync(decodeOutput(source(), false))
  assert.deepEqual(
    found.map(({ stream, data }) => [stream, Buffer.from(data).toString()]),
    [
      ['stdout', 'out1\n'],
      ['stderr', 'err1\n'],
    ],
  )
})

/** Neighbours of one stream as one, since payloads may be passed on in parts. */
function joined(chunks: readonly OutputChunk[]): [string, string][] {
  const runs: [string, string][] = []
  for (const { stream, data } of chunks) {
    if (data.byteLength === 0) continue
    const last = runs.at(-1)
    if (last?.[0] === stream) last[1] += Buffer.from(data).toString('hex')
    else runs.push([stream, Buffer.from(data).toString('hex')])
  }
  return runs
}

test('decodeOutput() answers in order, also who asks for several at once', async () => {
  const pieces = ['one', 'two', 'three'].map(text => encodeFrame('stdout', Buffer.from(text)))
  async function* source() {
    yield Buffer.concat(pieces.slice(0, 2))
    // nothing whole in it
    yield pieces[2]!.subarray(0, 4)
    yield pieces[2]!.subarray(4)
  }
  const output = decodeOutput(source(), false)
  const answers = await Promise.all(Array.from({ length: 5 }, () => output.next()))
  assert.deepEqual(
    answers.map(({ value }) => value && String(Buffer.from(value.data))),
    ['one', 'two', 'three', undefined, undefined],
  )
})

test('decodeOutput() lets its source go when nobody wants more, and when it is no output', async () => {
  let ended = 0
  async function* source(piece: Buffer) {
    try {
      for (;;) yield piece
    } finally {
      ended++
    }
  }
  for await (const _ of decodeOutput(source(encodeFrame('stderr', Buffer.from('x'))), false)) break
  assert.equal(ended, 1)
  const wrong = decodeOutput(source(Buffer.from('plain text of a terminal')), false)
  await assert.rejects(wrong.next(), { kind: 'internal' })
  assert.equal(ended, 2)
  assert.equal((await wrong.next()).done, true)
})
