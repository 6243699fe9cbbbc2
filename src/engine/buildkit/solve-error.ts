/** A build that failed → the status that clients show: with the Dockerfile's lines, and the step's digest. */
import { type Details, GrpcFailure } from '../../api/buildkit/grpc-status.ts'
import { isFailure, messageOf } from '../../lib/failure.ts'
import { BuildFailure } from '../build/build-failure.ts'
import type { Lines } from '../dockerfile/source-failure.ts'

/** Go's names of BuildKit's details, whose values are JSON. (util/grpcerrors) */
const sourceUrl = 'github.com/moby/buildkit/errdefs.Source+json'
const vertexUrl = 'github.com/moby/buildkit/errdefs.Vertex+json'

export function solveError(error: unknown, step: string | undefined): unknown {
  if (error instanceof GrpcFailure) return error
  const details: Details[number][] = []
  if (step !== undefined) details.push({ typeUrl: vertexUrl, value: json({ digest: step }) })
  if (error instanceof BuildFailure) {
    const { source, lines } = error
    details.push({
      typeUrl: sourceUrl,
      value: json({
        info: {
          filename: source.name,
          data: Buffer.from(around(source.text, lines)).toString('base64'),
          language: 'Dockerfile',
        },
        ranges: [{ start: { line: lines.first }, end: { line: lines.last } }],
      }),
    })
  }
  if (!isFailure(error)) return error
  // clients name any other kind before the message, and BuildKit has none for what is wrong in a build
  const kind = error.kind === 'cancelled' ? 'cancelled' : 'internal'
  return new GrpcFailure(kind, messageOf(error), { details, cause: error })
}

/** Lines on either side of a place, and characters of a line, that a client may want to show. */
const shownAround = 10
const shownLine = 180
/** Bytes of a text that is sent whole: it travels in the trailers of a call, which end at 64 KiB, in base64 twice. */
const largestText = 24 * 1024

/** A long Dockerfile is sent as the lines around the place, the others empty, so that each keeps its number. */
function around(text: string, { first, last }: Lines): string {
  if (Buffer.byteLength(text) <= largestText) return text
  const isNear = (line: number) => Math.abs(line - first) <= shownAround || Math.abs(line - last) <= shownAround
  const lines = text.split('\n', last + shownAround)
  return lines
    .map((line, i) => (isNear(i + 1) ? line.slice(0, shownLine) : ''))
    .join('\n')
    .slice(0, largestText / 3)
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}
