/** How a call ended, on the wire and as a Failure. (grpc: statuscodes.md, PROTOCOL-HTTP2.md) */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { Failure, type FailureKind, isFailure, messageOf } from '../../lib/failure.ts'
import type { From, Of } from './message.ts'
import { rpcStatus } from './rpc-status.ts'

export type Details = Of<typeof rpcStatus>['details']

/** A call that failed by its other side's word, or one of ours with details for it. */
export class GrpcFailure extends Failure {
  readonly details: Details

  constructor(
    kind: FailureKind,
    message: string,
    { details = [], cause }: { details?: Details; cause?: unknown } = {},
  ) {
    super(kind, message, { cause })
    this.details = details
  }
}

const codes: Readonly<Record<FailureKind, number>> = {
  cancelled: 1,
  // "unknown", the one that clients show without its name before the message
  internal: 2,
  invalid: 3,
  'not-found': 5,
  conflict: 6,
  denied: 7,
  'not-modified': 9,
  unsupported: 12,
  unavailable: 14,
}

const kinds: Readonly<Record<number, FailureKind>> = {
  1: 'cancelled',
  2: 'internal',
  3: 'invalid',
  4: 'cancelled',
  5: 'not-found',
  6: 'conflict',
  7: 'denied',
  8: 'conflict',
  9: 'conflict',
  10: 'conflict',
  11: 'invalid',
  12: 'unsupported',
  13: 'internal',
  14: 'unavailable',
  15: 'internal',
  16: 'denied',
}

/** Longer ones do not fit into a client's header list beside the rest. */
const maxText = 4096
/** A header list ends at 64 KiB. (nghttp2) */
const maxDetails = 56 * 1024

export function statusOf(error: unknown): From<typeof rpcStatus> {
  return {
    code: isFailure(error) ? codes[error.kind] : codes.internal,
    message: messageOf(error),
    details: error instanceof GrpcFailure ? error.details : [],
  }
}

/** A Failure of a status that is not OK. */
export function failureOf({ code, message, details }: Of<typeof rpcStatus>): GrpcFailure {
  return new GrpcFailure(kinds[code] ?? 'internal', message, { details })
}

/** The trailers that end a call. */
export function trailersOf(error: unknown): OutgoingHttpHeaders {
  if (error === undefined) return { 'grpc-status': '0' }
  const status = statusOf(error)
  const trailers: OutgoingHttpHeaders = {
    'grpc-status': String(status.code),
    'grpc-message': encodeText((status.message ?? '').slice(0, maxText)),
  }
  if (!status.details?.length) return trailers
  const details = Buffer.from(rpcStatus.encode(status)).toString('base64')
  // more than HTTP/2 carries would take the message with it
  return details.length > maxDetails ? trailers : { ...trailers, 'grpc-status-details-bin': details }
}

/** What trailers (or headers that are also the trailers) say; undefined when it went well. */
export function failureOfTrailers(trailers: IncomingHttpHeaders): Failure | undefined {
  const given = trailers['grpc-status']
  if (given === undefined)
    return new Failure('unavailable', `Cannot read the end of a call: HTTP status ${trailers[':status'] ?? 'unknown'}`)
  const code = Number(given)
  if (code === 0) return undefined
  const binary = trailers['grpc-status-details-bin']
  const message = decodeText(String(trailers['grpc-message'] ?? ''))
  if (typeof binary !== 'string') return failureOf({ code, message, details: [] })
  return failureOf({ code, message, details: rpcStatus.decode(Buffer.from(binary, 'base64')).details })
}

/** Percent-encoding of all but printable ASCII. */
function encodeText(text: string): string {
  return text.toWellFormed().replace(/[^ -$&-~]+/g, part => {
    return [...Buffer.from(part)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
  })
}

function decodeText(text: string): string {
  const parts = text.split(/(%[0-9A-Fa-f]{2})/)
  return Buffer.concat(
    parts.map((part, i) => (i % 2 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part))),
  ).toString()
}
