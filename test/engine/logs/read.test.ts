import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type ReadOptions, readBatches, readLog } from '../../../src/engine/logs/read.ts'
import { cutRecord, nanoseconds, parseRecord, timestamp } from '../../../src/engine/logs/records.ts'
import { temporaryFolder } from '../../support/temporary-paths.ts'

const line = (log: string, stream = 'stdout', time = '2026-01-01T00:00:00.5Z') =>
  `${JSON.stringify({ log, stream, time })}\n`

function logIn(t: TestContext): string {
  return join(temporaryFolder(t), 'x-json.log')
}

async function text(path: string, options: Partial<ReadOptions> = {}): Promise<string> {
  let all = ''
  const { signal } = new AbortController()
  for await (const { data } of readLog(path, { stdout: true, stderr: true, signal, ...options })) all += data
  return all
}

test('parseRecord() reads a line and passes over a torn one', () => {
  assert.deepEqual(parseRecord(line('hi\n', 'stderr').trim()), {
    stream: 'stderr',
    text: 'hi\n',
    time: '2026-01-01T00:00:00.5Z',
    attributes: {},
  })
  assert.equal(parseRecord('{"log":"hi'), undefined)
  assert.equal(parseRecord('7'), undefined)
})

test('parseRecord() reads what our monitor writes as any reader of JSON does', () => {
  const time = '2026-01-01T00:00:00.000000001Z'
  const texts = [
    'plain',
    'a line\n',
    '',
    '\n',
    'é ✓ 𝄞\n',
    'say "so"\n',
    'a\\n',
    'a\\\n',
    '\\',
    'two\nlines\n',
    '\t\n',
    '\u001b[0m\n',
  ]
  const members = ['', '"attrs":{"a":"b"},', '"attrs":{"stream":"\\",\\"stream\\":\\"stdout"},']
  for (const text of texts)
    for (const stream of ['stdout', 'stderr'] as const)
      for (const attributes of members) {
        const written = `{"log":${JSON.stringify(text)},"stream":"${stream}",${attributes}"time":"${time}"}`
        const { attrs = {} } = JSON.parse(written) as { readonly attrs?: object }
        assert.deepEqual(parseRecord(written), { stream, text, time, attributes: attrs }, written)
        assert.equal(parseRecord(written.slice(0, -1)), undefined)
        // the same without a text: what is plain as it stands there, and nothing of what is not
        const isPlain = attributes === '' && /^[^"\\\n\t\u001b]*\n?$/.test(text)
        const bytes = Buffer.from(`{"log":"${written}\n"}`)
        const from = '{"log":"'.length
        const cut = cutRecord(bytes, from, from + Buffer.byteLength(written))
        assert.deepEqual(
          cut && `${cut.stream} ${Buffer.from(cut.data)}`,
          isPlain ? `${stream} ${text}` : undefined,
          written,
        )
        assert.equal(cutRecord(Buffer.from(written), 0, Buffer.byteLength(written) - 1), undefined)
        assert.equal(cutRecord(Buffer.from(written), 1, Buffer.byteLength(written)), undefined)
      }
  assert.equal(parseRecord(`{"log":"a"b","stream":"stdout","time":"${time}"}`), undefined)
  assert.equal(parseRecord(`{"log":"a\\","stream":"stdout","time":"${time}"}`), undefined)
})

test('times are compared to the nanosecond and shown with nine decimals', () => {
  assert.equal(nanoseconds('1970-01-01T00:00:01.000000007Z'), 1_000_000_007n)
  assert.equal(timestamp('2026-01-01T00:00:00.5Z'), '2026-01-01T00:00:00.500000000Z')
})

test('readLog() gives nothing for a log that is not there', async t => {
  assert.equal(await text(logIn(t)), '')
})

test('readLog() gives a chunk for each record, as clients take a frame for a line', async t => {
  const path = logIn(t)
  writeFileSync(path, line('a\n') + line('b\n') + line('c\n', 'stderr'))
  const { signal } = new AbortController()
  const chunks = await Array.fromAsync(readLog(path, { stdout: true, stderr: true, signal }))
  assert.deepEqual(
    chunks.map(({ stream, data }) => `${stream} ${data}`),
    ['stdout a\n', 'stdout b\n', 'stderr c\n'],
  )
})

test('readLog() gives what was printed byte for byte, over blocks, whether or not its records are plain', async t => {
  const path = logIn(t)
  const printed = Array.from({ length: 20_000 }, (_, i) =>
    i % 7 === 0 ? `"${i}"\n` : i % 11 === 0 ? `é ${i}` : `${i}\n`,
  )
  const record = (log: string) => JSON.stringify({ log, stream: 'stdout', time: '2026-01-01T00:00:00.000000001Z' })
  writeFileSync(path, printed.map(log => `${record(log)}\n`).join(''))
  assert.equal(await text(path), printed.join(''))
  assert.equal(await text(path, { tail: 3000 }), printed.slice(-3000).join(''))
  assert.equal(await text(path, { stdout: false }), '')
  writeFileSync(`${path}.1.gz`, gzipSync(printed.map(log => `${record(log)}\n`).join('')))
  assert.equal(await text(path, { tail: 21_000 }), [...printed.slice(-1000), ...printed].join(''))
})

test('readLog() keeps streams apart and in order', async t => {
  const path = logIn(t)
  writeFileSync(path, line('a\n') + line('b\n', 'stderr') + line('c\n'))
  assert.equal(await text(path), 'a\nb\nc\n')
  assert.equal(await text(path, { stderr: false }), 'a\nc\n')
  assert.equal(await text(path, { stdout: false, timestamps: true }), '2026-01-01T00:00:00.500000000Z b\n')
})

test('details are the attributes of a record, escaped as in a query, before the line and behind its time', async t => {
  const path = logIn(t)
  const attrs = { 'b c': 'ü&=,', X: "1 & <2>'()*!", 'a-_.~': '' }
  writeFileSync(
    path,
    `${JSON.stringify({ log: 'a\n', stream: 'stdout', attrs, time: '2026-01-01T00:00:00Z' })}\n${line('b\n')}`,
  )
  const escaped = 'X=1+%26+%3C2%3E%27%28%29%2A%21,a-_.~=,b+c=%C3%BC%26%3D%2C'
  assert.equal(await text(path, { details: true }), `${escaped} a\n b\n`)
  assert.equal(await text(path, { details: true, timestamps: true, tail: 1 }), '2026-01-01T00:00:00.500000000Z  b\n')
  assert.equal(await text(path), 'a\nb\n')
})

test('tail counts from the end, over rotated files, whatever their size', async t => {
  const path = logIn(t)
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => line(`line ${from + i}\n`)).join('')
  writeFileSync(`${path}.2`, lines(0, 10))
  writeFileSync(`${path}.1`, lines(10, 5000))
  writeFileSync(path, lines(5000, 9000))
  assert.equal(await text(path, { tail: 0 }), '')
  assert.equal(await text(path, { tail: 2 }), 'line 8998\nline 8999\n')
  const count = async (tail: number) => (await text(path, { tail })).split('\n').length - 1
  assert.equal(await count(4000), 4000)
  assert.equal(await count(4001), 4001)
  assert.equal(await count(8995), 8995)
  assert.equal(await count(99_999), 9000)
  assert.equal((await text(path)).split('\n')[0], 'line 0')
})

test('since and until are inclusive', async t => {
  const path = logIn(t)
  writeFileSync(path, [1, 2, 3].map(n => line(`${n}\n`, 'stdout', `1970-01-01T00:00:0${n}Z`)).join(''))
  assert.equal(await text(path, { since: 2_000_000_000n }), '2\n3\n')
  assert.equal(await text(path, { until: 2_000_000_000n }), '1\n2\n')
})

test('follow shows what is written, over a rotation, until the end and not a line less', async t => {
  const path = logIn(t)
  writeFileSync(path, line('one\n'))
  const ended = Promise.withResolvers<void>()
  const { signal } = new AbortController()
  const pieces: string[] = []
  for await (const { data } of readLog(path, { stdout: true, stderr: true, signal, follow: ended.promise })) {
    const piece = Buffer.from(data).toString()
    pieces.push(piece)
    if (piece === 'one\n') appendFileSync(path, line('two\n'))
    if (piece === 'two\n') {
      appendFileSync(path, line('three\n'))
      renameSync(path, `${path}.1`)
      writeFileSync(path, line('four\n'))
    }
    if (piece === 'four\n') {
      appendFileSync(path, line('five\n'))
      ended.resolve()
    }
  }
  assert.deepEqual(pieces, ['one\n', 'two\n', 'three\n', 'four\n', 'five\n'])
})

test('follow holds back half a line until it is whole', async t => {
  const path = logIn(t)
  const whole = line('late\n')
  writeFileSync(path, line('one\n') + whole.slice(0, 10))
  const ended = Promise.withResolvers<void>()
  const { signal } = new AbortController()
  let all = ''
  for await (const { data } of readLog(path, { stdout: true, stderr: true, signal, follow: ended.promise })) {
    all += data
    if (all === 'one\n') appendFileSync(path, whole.slice(10))
    else ended.resolve()
  }
  assert.equal(all, 'one\nlate\n')
})

test('follow ends when the reader leaves', async t => {
  const path = logIn(t)
  writeFileSync(path, line('one\n'))
  const left = new AbortController()
  const follow = new Promise<never>(() => undefined)
  for await (const chunk of readLog(path, { stdout: true, stderr: true, signal: left.signal, follow })) {
    assert.equal(chunk.stream, 'stdout')
    left.abort()
  }
})

const both = { stdout: true, stderr: true }

test('what is opened is read to its end, also when its files are gone before the first of it is asked for', async t => {
  const path = logIn(t)
  writeFileSync(`${path}.1`, line('one\n'))
  writeFileSync(path, line('two\n'))
  const { signal } = new AbortController()
  const ended = Promise.withResolvers<void>()
  const followed = await readBatches(path, { ...both, signal, follow: ended.promise })
  const read = await readBatches(path, { ...both, signal })
  ended.resolve()
  rmSync(`${path}.1`)
  rmSync(path)
  for (const batches of [followed, read]) {
    const chunks = (await Array.fromAsync(batches)).flat()
    assert.deepEqual(
      chunks.map(({ data }) => String(data)),
      ['one\n', 'two\n'],
    )
  }
})

test('what is opened and never read is closed when its reader leaves', async t => {
  const path = logIn(t)
  writeFileSync(path, line('one\n'))
  const open = () => readdirSync('/proc/self/fd').filter(fd => opened(fd) === path).length
  const left = new AbortController()
  await readBatches(path, { ...both, signal: left.signal })
  assert.equal(open(), 1)
  left.abort()
  const gone = new AbortController()
  gone.abort()
  await readBatches(path, { ...both, signal: gone.signal })
  for (let look = 0; open() > 0 && look < 100; look++) await new Promise(setImmediate)
  assert.equal(open(), 0)
})

/** What a descriptor of ours is of; undefined for the one that this very look had. */
function opened(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined
  }
}
