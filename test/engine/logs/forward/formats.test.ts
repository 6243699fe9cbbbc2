/** What goes over the wire, byte for byte as a Docker Engine 28 sent it to a server beside it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decode, ExtData } from '@msgpack/msgpack'
import { fluentdEvent } from '../../../../src/engine/logs/forward/fluentd-format.ts'
import { gelfDatagrams, gelfFields, gelfText } from '../../../../src/engine/logs/forward/gelf-format.ts'
import { journalEntry, journalFields } from '../../../../src/engine/logs/forward/journald-format.ts'
import { type LogMessage, messageOf } from '../../../../src/engine/logs/forward/message.ts'
import { syslogLine } from '../../../../src/engine/logs/forward/syslog-format.ts'
import type { SyslogFormat } from '../../../../src/engine/logs/forward/syslog-options.ts'
import type { LogInfo } from '../../../../src/engine/logs/log-info.ts'
import type { LogRecord } from '../../../../src/engine/logs/records.ts'

const info: LogInfo = {
  id: 'a4f0136f5726a08e7fe21f04180c96732dccd0532026003794213ed0c8045581',
  name: 'logs10x',
  imageId: 'sha256:17f0e3ecf49d0c73f1b410ada89ad9f83eb05ebcdd85692f9c9745dcd2885145',
  imageName: 'busybox:latest',
  created: '2026-11-28T23:44:26.346142567Z',
  path: 'sh',
  args: ['-c', 'echo'],
  env: ['X=1'],
  labels: { 'com.a': '1', 'b c': '2', _x: 'y' },
  hostname: 'vm',
  logPath: '/x-json.log',
  options: { labels: 'com.a,b c,_x', env: 'X', tag: '{{.Name}}' },
}
const message: LogMessage = {
  stream: 'stdout',
  text: 'out ü',
  time: '2026-11-28T23:44:14.108516007Z',
  piece: undefined,
}
const failed: LogMessage = { ...message, stream: 'stderr', text: 'err' }
const piece = { id: '35db7ff5', ordinal: 2, last: false }

describe('syslog', () => {
  const line = (format: SyslogFormat, from: LogMessage, framed = false) =>
    syslogLine(from, { format, facility: 3, hostname: 'vm', tag: 'f4ebec3b9a8f', pid: 17846, framed })

  test('a line as a local one, and by RFC 3164, has the time of the wall clock', () => {
    const now = new Date(message.time)
    const wall = `Nov ${now.getDate()} ${now.toTimeString().slice(0, 8)}`
    assert.equal(line('', message), `<30>${wall} f4ebec3b9a8f[17846]: out ü\n`)
    assert.equal(line('rfc3164', failed), `<27>${wall} vm f4ebec3b9a8f[17846]: err\n`)
  })

  test('a day of one digit has a blank before it', () => {
    assert.match(line('', { ...message, time: '2026-11-05T12:00:00Z' }), /^<30>Nov {2}5 /)
  })

  test('RFC 5424, with whole seconds and with microseconds', () => {
    const rest = 'vm f4ebec3b9a8f 17846 f4ebec3b9a8f -'
    assert.equal(line('rfc5424', message), `<30>1 2026-11-28T23:44:14Z ${rest} out ü\n`)
    assert.equal(line('rfc5424micro', failed), `<27>1 2026-11-28T23:44:14.108516Z ${rest} err\n`)
  })

  test('over TLS the length in bytes stands before a line of RFC 5424', () => {
    const plain = line('rfc5424', message)
    assert.equal(line('rfc5424', message, true), `${Buffer.byteLength(plain)} ${plain}`)
  })
})

describe('gelf', () => {
  test('a message', () => {
    assert.deepEqual(JSON.parse(gelfText(message, 'vm', gelfFields(info))), {
      version: '1.1',
      host: 'vm',
      short_message: 'out ü',
      timestamp: 1795909454.108,
      level: 6,
      _X: '1',
      '_b c': '2',
      '_com.a': '1',
      _x: 'y',
      _command: 'sh -c echo',
      _container_id: info.id,
      _container_name: 'logs10x',
      _created: info.created,
      _image_id: info.imageId,
      _image_name: 'busybox:latest',
      _tag: 'logs10x',
    })
    assert.equal(JSON.parse(gelfText(failed, 'vm', {})).level, 3)
  })

  test('what does not fit into a datagram goes in numbered pieces', () => {
    assert.deepEqual(gelfDatagrams(Buffer.alloc(1420)).length, 1)
    const bytes = Buffer.from(Array.from({ length: 3000 }, (_, i) => i % 251))
    const pieces = gelfDatagrams(bytes)
    assert.deepEqual(
      pieces.map(each => each.length),
      [1420, 1420, 3000 - 2 * 1408 + 12],
    )
    assert.ok(pieces.every(each => each.subarray(0, 10).equals(pieces[0]!.subarray(0, 10))))
    assert.deepEqual(
      pieces.map(each => [...each.subarray(0, 2), ...each.subarray(10, 12)]),
      [
        [0x1e, 0x0f, 0, 3],
        [0x1e, 0x0f, 1, 3],
        [0x1e, 0x0f, 2, 3],
      ],
    )
    assert.ok(Buffer.concat(pieces.map(each => each.subarray(12))).equals(bytes))
    assert.equal(gelfDatagrams(Buffer.alloc(128 * 1408)).length, 128)
    assert.throws(() => gelfDatagrams(Buffer.alloc(128 * 1408 + 1)), { kind: 'invalid' })
  })
})

describe('journald', () => {
  const fields = (from: LogMessage) => {
    const text = journalEntry(from, journalFields(info, 'bedd'), 4).toString()
    return Object.fromEntries(
      text
        .trimEnd()
        .split('\n')
        .map(line => line.split(/=(.*)/s).slice(0, 2)),
    )
  }

  test('an entry has the fields that Docker gives it; names of labels become names of the journal', () => {
    assert.deepEqual(fields(failed), {
      PRIORITY: '3',
      MESSAGE: 'err',
      CONTAINER_ID: 'a4f0136f5726',
      CONTAINER_ID_FULL: info.id,
      CONTAINER_NAME: 'logs10x',
      CONTAINER_TAG: 'logs10x',
      IMAGE_NAME: 'busybox:latest',
      SYSLOG_IDENTIFIER: 'logs10x',
      COM_A: '1',
      B_C: '2',
      X: '1',
      CONTAINER_LOG_EPOCH: 'bedd',
      CONTAINER_LOG_ORDINAL: '4',
      SYSLOG_TIMESTAMP: failed.time,
    })
  })

  test('a piece of a line says so, the last one that it is the last', () => {
    const parts = (last: boolean) => {
      const entry = fields({ ...message, piece: { ...piece, last } })
      return Object.fromEntries(Object.entries(entry).filter(([name]) => name.startsWith('CONTAINER_PARTIAL_')))
    }
    const common = { CONTAINER_PARTIAL_ID: '35db7ff5', CONTAINER_PARTIAL_ORDINAL: '2' }
    assert.deepEqual(parts(false), { ...common, CONTAINER_PARTIAL_MESSAGE: 'true', CONTAINER_PARTIAL_LAST: 'false' })
    assert.deepEqual(parts(true), { ...common, CONTAINER_PARTIAL_LAST: 'true' })
  })

  test('a value with a newline stands behind its length', () => {
    const entry = journalEntry(message, journalFields({ ...info, options: {} }, 'a\nb'), 1)
    const at = entry.indexOf('CONTAINER_LOG_EPOCH\n') + 'CONTAINER_LOG_EPOCH\n'.length
    assert.equal(entry.readBigUInt64LE(at), 3n)
    assert.equal(entry.toString('utf8', at + 8, at + 12), 'a\nb\n')
  })
})

describe('fluentd', () => {
  const event = (from: LogMessage, subSecond = false, chunk?: string) =>
    decode(fluentdEvent(from, { tag: 't', subSecond, info }, chunk))

  test('an event of tag, seconds, record and options', () => {
    const record = { container_id: info.id, container_name: '/logs10x', source: 'stdout', log: 'out ü' }
    assert.deepEqual(event(message), ['t', 1795909454, { ...record, 'com.a': '1', 'b c': '2', _x: 'y', X: '1' }, {}])
  })

  test('nanoseconds are an extension of their own', () => {
    const [, time] = event(message, true) as [string, ExtData]
    assert.ok(time instanceof ExtData)
    assert.equal(time.type, 0)
    assert.deepEqual([...(time.data as Uint8Array)], [0x6b, 0x0b, 0x67, 0x4e, 0x06, 0x77, 0xd2, 0xa7])
  })

  test('a piece of a line says so, and a chunk is what the server confirms', () => {
    const [, , record, options] = event({ ...message, piece }, false, 'c1') as [string, number, object, object]
    const { partial_message, partial_id, partial_ordinal, partial_last } = record as Record<string, string>
    assert.deepEqual([partial_message, partial_id, partial_ordinal, partial_last], ['true', '35db7ff5', '2', 'false'])
    assert.deepEqual(options, { chunk: 'c1' })
  })
})

describe('messageOf()', () => {
  const record = (text: string): LogRecord => ({ stream: 'stdout', text, time: message.time, attributes: {} })
  const messages = (...texts: readonly string[]) => {
    let open = {}
    return texts.map(text => {
      const made = messageOf(record(text), { open, container: 'c' })
      open = made.open
      return made.message
    })
  }

  test('takes the newline off a line', () => {
    assert.deepEqual(
      messages('a\n', '\n').map(({ text, piece: part }) => [text, part]),
      [
        ['a', undefined],
        ['', undefined],
      ],
    )
  })

  test('counts the pieces of a line that was cut, which have one id', () => {
    const long = 'x'.repeat(16 * 1024)
    const [a, b, c, d] = messages(long, long, 'end\n', 'next\n')
    assert.deepEqual(
      [a, b, c].map(each => [each!.piece!.ordinal, each!.piece!.last]),
      [
        [1, false],
        [2, false],
        [3, true],
      ],
    )
    assert.equal(new Set([a, b, c].map(each => each!.piece!.id)).size, 1)
    assert.equal(d!.piece, undefined)
  })

  test('what ends without a newline is a piece, and the next run begins a line of its own', () => {
    const [rest, next] = messages('rest', 'next\n')
    assert.deepEqual([rest!.piece!.ordinal, rest!.piece!.last, next!.piece], [1, false, undefined])
  })
})
