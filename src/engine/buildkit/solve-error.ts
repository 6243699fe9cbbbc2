/** A build that failed → the status that clients show: with the Dockerfile's lines, and the step's digest. */
import { type Details, GrpcFailure } from '../../api/buildkit/grpc-status.ts'
import { isFailure, messageOf } from '../../lib/failure.ts'
import { BuildFailure } from '../build/build-failure.ts'

/** Go's names of BuildKit's details, whose values are JSON. (util/grpcerrors) */
const sourceUrl = 'github.com/moby/buildkit/errdefs.Source+json'
const vertexUrl = 'github.com/moby/buildkit/errdefs.Vertex+json'

export function solveError(error: unknown, step: string | undefined): unknown {
  if (error instanceof GrpcFailure) return error
  const details: Details[number][] = []
  if (step !== undefined) details.push({ typeUrl: vertexUrl, value: json({ digest: step }) })
  const placed = error instanceof BuildFailure
  if (placed) {
    const { source, lines } = error
    details.push({
      typeUrl: sourceUrl,
      value: json({
        info: { filename: source.name, data: Buffer.from(source.text).toString('base64'), language: 'Dockerfile' },
        ranges: [{ start: { line: lines.first }, end: { line: lines.last } }],
      }),
    })
  }
  if (!isFailure(error)) return error
  // a step that failed is of no kind that a client would name before the message
  const kind = placed && error.kind === 'invalid' ? 'internal' : error.kind
  return new GrpcFailure(kind, messageOf(error), { details, cause: error })
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}
