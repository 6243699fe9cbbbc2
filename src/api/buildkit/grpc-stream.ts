/** Either end of one call: messages that are sent with back-pressure, and those that come. */
import type { Http2Stream } from 'node:http2'
import { Failure, messageOf } from '../../lib/failure.ts'
import { frame, unframe } from './grpc-frames.ts'
import type { Decoded, Fields, Message, Partially } from './message.ts'

/** Resolves when another message may be written. @throws Failure when the stream is over. */
export async function sendMessage<F extends Fields>(
  stream: Http2Stream,
  kind: Message<F>,
  value: Partially<F>,
): Promise<void> {
  if (stream.destroyed || stream.writableEnded) throw gone()
  if (stream.write(frame(kind.encode(value)))) return
  await new Promise<void>((resolve, reject) => {
    const settle = (then: () => void) => () => {
      stream.off('drain', drained)
      stream.off('close', closed)
      then()
    }
    const drained = settle(resolve)
    const closed = settle(() => reject(gone()))
    stream.on('drain', drained)
    stream.on('close', closed)
  })
}

/**
 * @param isOver whether a stream that was broken off is over all the same.
 * @throws Failure when the stream broke, `cancelled` when the other side has taken it back.
 */
export async function* receiveMessages<F extends Fields>(
  stream: Http2Stream,
  kind: Message<F>,
  isOver: () => Promise<boolean> = async () => false,
): AsyncGenerator<Decoded<F>> {
  for await (const bytes of unframe(chunksOf(stream, isOver))) yield kind.decode(bytes)
}

async function* chunksOf(stream: Http2Stream, isOver: () => Promise<boolean>): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk as Buffer
  } catch (cause) {
    if (await isOver()) return
    throw new Failure('cancelled', `The call has ended: ${messageOf(cause)}`, { cause })
  }
  if (stream.aborted && !(await isOver())) throw gone()
}

function gone(): Failure {
  return new Failure('cancelled', 'The call has ended')
}

const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

/** Whole milliseconds of a `grpc-timeout` ("10S"); undefined for none, or none that is understood. */
export function timeoutOf(header: string | readonly string[] | undefined): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(typeof header === 'string' ? header : '')
  return match ? Math.ceil(Number(match[1]) * units[match[2]!]!) : undefined
}
