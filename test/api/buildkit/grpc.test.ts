import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import { Duplex } from 'node:stream'
import { describe, test } from 'node:test'
import { bytesMessage } from '../../../src/api/buildkit/bytes-message.ts'
import { GrpcClient } from '../../../src/api/buildkit/grpc-client.ts'
import { frame, maxMessage, unframe } from '../../../src/api/buildkit/grpc-frames.ts'
import { type Call, implement, serveGrpc } from '../../../src/api/buildkit/grpc-server.ts'
import { GrpcFailure } from '../../../src/api/buildkit/grpc-status.ts'
import { timeoutOf } from '../../../src/api/buildkit/grpc-stream.ts'
import { field, message } from '../../../src/api/buildkit/message.ts'
import { both, responses, service, unary } from '../../../src/api/buildkit/service.ts'
import { Failure, isFailure } from '../../../src/lib/failure.ts'
import { connectedPair } from '../../support/connected-pair.ts'

const text = message({ text: field(1, 'string') })
const echo = service('test.Echo', {
  say: unary('Say', text, text),
  count: responses('Count', text, text),
  talk: both('Talk', bytesMessage, bytesMessage),
  nobody: unary('Nobody', text, text),
})

interface Handlers {
  readonly say?: (text: string, call: Call) => Promise<string>
  readonly onProblem?: (line: string) => void
  readonly count?: (call: Call) => AsyncIterable<{ text: string }>
}

async function connected(handlers: Handlers, run: (client: GrpcClient) => Promise<void>): Promise<void> {
  const [a, b] = await connectedPair()
  const served = serveGrpc(a, {
    services: [
      implement(echo, {
        say: async ({ text }, call) => ({ text: (await handlers.say?.(text, call)) ?? text }),
        count: (_, call) => handlers.count?.(call) ?? counted(),
        talk: async function* (requests) {
          for await (const { data } of requests) yield { data }
        },
      }),
    ],
    onProblem: handlers.onProblem,
  })
  const client = new GrpcClient(b)
  try {
    await run(client)
  } finally {
    client.close()
    await Promise.all([client.closed, served])
  }
}

async function* counted(): AsyncGenerator<{ text: string }> {
  for (const text of ['1', '2', '3']) yield { text }
}

describe('gRPC over a connection', () => {
  test('a call is answered, many at once and large ones', () =>
    connected({}, async client => {
      const large = 'x'.repeat(3_000_000)
      const answers = await Promise.all(['a', large, 'grün'].map(text => client.call(echo.say, { text })))
      assert.deepEqual(answers, [{ text: 'a' }, { text: large }, { text: 'grün' }])
    }))

  test('responses come until the call is over', () =>
    connected({}, async client => {
      assert.deepEqual(await Array.fromAsync(client.responses(echo.count, {})), [
        { text: '1' },
        { text: '2' },
        { text: '3' },
      ])
    }))

  test('both sides send while both read', () =>
    connected({}, async client => {
      const call = client.open(echo.talk)
      const chunk = Buffer.alloc(100_000, 7)
      const received = (async () => {
        let length = 0
        for await (const { data } of call.messages) length += data.length
        return length
      })()
      for (let i = 0; i < 100; i++) await call.send({ data: chunk })
      call.end()
      assert.equal(await received, 10_000_000)
    }))

  test('a failure arrives with its kind, message and details', () =>
    connected(
      {
        say: async text => {
          const details = [{ typeUrl: 'example/thing', value: Buffer.from('{}') }]
          throw new GrpcFailure('not-found', `no "${text}" here: 100 % grün\n`, { details })
        },
      },
      async client => {
        await assert.rejects(client.call(echo.say, { text: 'key' }), error => {
          assert.ok(error instanceof GrpcFailure)
          assert.equal(error.kind, 'not-found')
          assert.equal(error.message, 'no "key" here: 100 % grün\n')
          assert.equal(error.details[0]?.typeUrl, 'example/thing')
          return true
        })
      },
    ))

  test('a defect is told to the log, and to the client as a failure', async () => {
    const lines: string[] = []
    await connected(
      {
        say: async () => {
          throw new TypeError('a defect')
        },
        onProblem: line => lines.push(line),
      },
      client => assert.rejects(client.call(echo.say, {}), { kind: 'internal', message: 'a defect' }),
    )
    assert.match(lines[0] ?? '', /^\/test\.Echo\/Say: TypeError: a defect/)
  })

  test('responses that fail after some were sent are thrown where they end', () =>
    connected(
      {
        count: async function* () {
          yield { text: '1' }
          throw new Failure('conflict', 'no more')
        },
      },
      async client => {
        const seen: string[] = []
        await assert.rejects(
          async () => {
            for await (const { text } of client.responses(echo.count, {})) seen.push(text)
          },
          { kind: 'conflict', message: 'no more' },
        )
        assert.deepEqual(seen, ['1'])
      },
    ))

  test('an unknown method and one that nobody serves are unimplemented', () =>
    connected({}, async client => {
      await assert.rejects(client.call(echo.nobody, {}), { kind: 'unsupported' })
    }))

  test('a client that takes its call back stops who serves it', async () => {
    const stopped = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    await connected(
      {
        say: async (_, { signal }) => {
          begun.resolve()
          await once(signal, 'abort')
          stopped.resolve()
          return ''
        },
      },
      async client => {
        const controller = new AbortController()
        const call = client.call(echo.say, {}, { signal: controller.signal })
        await begun.promise
        controller.abort()
        await assert.rejects(call, error => isFailure(error, 'cancelled'))
        await stopped.promise
      },
    )
  })

  test('a reader that leaves early takes the call back', async () => {
    const stopped = Promise.withResolvers<void>()
    await connected(
      {
        count: async function* ({ signal }) {
          yield { text: '1' }
          await once(signal, 'abort')
          stopped.resolve()
        },
      },
      async client => {
        for await (const { text } of client.responses(echo.count, {})) {
          assert.equal(text, '1')
          break
        }
        await stopped.promise
      },
    )
  })

  test('a timeout ends a call at both ends', async () => {
    const stopped = Promise.withResolvers<void>()
    await connected(
      {
        say: async (_, { signal }) => {
          await once(signal, 'abort')
          stopped.resolve()
          return ''
        },
      },
      async client => {
        await assert.rejects(client.call(echo.say, {}, { timeout: 50 }), error => isFailure(error, 'cancelled'))
        await stopped.promise
      },
    )
  })

  test('metadata keeps several values of one key apart', async () => {
    let seen: readonly string[] | undefined
    await connected(
      {
        say: async (_, { metadata }) => {
          seen = metadata.get('exclude-patterns')
          return ''
        },
      },
      async client => {
        await client.call(echo.say, {}, { metadata: new Map([['exclude-patterns', ['a,b', 'c']]]) })
      },
    )
    assert.deepEqual(seen, ['a,b', 'c'])
  })

  test('a connection that breaks fails the calls under way, and those that follow', async () => {
    const [a, b] = await connectedPair()
    const begun = Promise.withResolvers<void>()
    const served = serveGrpc(a, {
      services: [
        implement(echo, {
          say: async (_, { signal }) => {
            begun.resolve()
            await once(signal, 'abort')
            return {}
          },
        }),
      ],
    })
    const client = new GrpcClient(b)
    const call = client.call(echo.say, {})
    await begun.promise
    a.destroy()
    b.destroy()
    await assert.rejects(call, error => isFailure(error, 'unavailable') || isFailure(error, 'cancelled'))
    await served
    await assert.rejects(client.call(echo.say, {}), { kind: 'unavailable' })
  })

  test('a connection that has gone before is over at once, for both ends', async () => {
    const [a, b] = await connectedPair()
    a.destroy()
    b.destroy()
    await Promise.all([once(a, 'close'), once(b, 'close')])
    const client = new GrpcClient(b)
    await client.closed
    await assert.rejects(client.call(echo.say, {}), { kind: 'unavailable' })
    await serveGrpc(a, { services: [] })
  })

  test('a client that is killed is gone, though its server could still write', async () => {
    const [a, b] = await connectedPair()
    a.allowHalfOpen = true
    const begun = Promise.withResolvers<void>()
    const stopped = Promise.withResolvers<void>()
    const say = async (_: unknown, { signal }: Call) => {
      begun.resolve()
      await once(signal, 'abort')
      stopped.resolve()
      return {}
    }
    const served = serveGrpc(a, { services: [implement(echo, { say })] })
    const client = new GrpcClient(b)
    const call = client.call(echo.say, {})
    await begun.promise
    b.end()
    await stopped.promise
    await served
    await assert.rejects(call)
    await client.closed
  })

  test('the signal of a server ends its connection', async () => {
    const [a, b] = await connectedPair()
    const controller = new AbortController()
    const served = serveGrpc(a, { services: [implement(echo, {})] }, controller.signal)
    const client = new GrpcClient(b)
    await client.call(echo.say, {}).catch(() => {})
    controller.abort()
    await served
    b.destroy()
    await client.closed
  })
})

describe('unframe()', () => {
  const all = (...chunks: Buffer[]) => Array.fromAsync(unframe(chunksOf(chunks)))
  async function* chunksOf(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
    yield* chunks
  }

  test('finds messages wherever chunks are cut', async () => {
    const bytes = Buffer.concat([frame(Buffer.from('one')), frame(Buffer.alloc(0)), frame(Buffer.from('three'))])
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      )
      assert.deepEqual((await all(...chunks)).map(String), ['one', '', 'three'])
    }
  })

  test('refuses what is compressed, too large or cut short', async () => {
    await assert.rejects(all(Buffer.from([1, 0, 0, 0, 0])), { kind: 'unsupported' })
    const large = Buffer.alloc(5)
    large.writeUInt32BE(maxMessage + 1, 1)
    await assert.rejects(all(large), { kind: 'invalid' })
    await assert.rejects(all(frame(Buffer.from('abc')).subarray(0, 6)), { kind: 'invalid' })
    await assert.rejects(all(Buffer.from([0, 0])), { kind: 'invalid' })
  })
})

/** What comes within a few milliseconds comes in one piece, as from a server that writes it in one go. */
function atOnce(connection: Duplex): Duplex {
  const pieces: Buffer[] = []
  const held = new Duplex({ read: () => {}, write: (chunk, _, done) => void connection.write(chunk, done) })
  let timer: NodeJS.Timeout | undefined
  connection.on('data', (piece: Buffer) => {
    pieces.push(piece)
    clearTimeout(timer)
    timer = setTimeout(() => held.push(Buffer.concat(pieces.splice(0))), 30)
  })
  held.on('close', () => connection.destroy())
  return held
}

test('a call that the server ends and resets without an error, as those of Go do, is over and whole', async () => {
  const whole = frame(bytesMessage.encode({ data: Buffer.from('one') }))
  for (const [sent, wanted] of [
    [whole, ['one']],
    [whole.subarray(0, 6), undefined],
  ] as const) {
    const [a, b] = await connectedPair()
    const server = http2.performServerHandshake(a)
    server.on('stream', (stream: http2.ServerHttp2Stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '0' })
        setImmediate(() => stream.close(http2.constants.NGHTTP2_NO_ERROR))
      })
      stream.end(sent)
    })
    const client = new GrpcClient(atOnce(b))
    try {
      const call = client.open(echo.talk)
      await call.send({ data: Buffer.from('our half stays open') })
      const messages = Array.fromAsync(call.messages)
      if (wanted === undefined) await assert.rejects(messages, { kind: 'invalid' })
      else
        assert.deepEqual(
          (await messages).map(({ data }) => String(data)),
          wanted,
        )
    } finally {
      client.close()
      server.destroy()
    }
  }
})

test('timeoutOf() gives whole milliseconds, as timers want them, and never fewer than asked for', () => {
  assert.deepEqual(['29999743u', '1n'].map(timeoutOf), [30000, 1])
})

test('timeoutOf() reads every unit', () => {
  assert.deepEqual(['1H', '2M', '3S', '4m', '5000u', '6000000n', '7x', undefined].map(timeoutOf), [
    3_600_000,
    120_000,
    3000,
    4,
    5,
    6,
    undefined,
    undefined,
  ])
})
