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
  if (error instanceof BuildFailure) {
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
  // clients name any other kind before the message, and BuildKit has none for what is wrong in a build
  const kind = error.kind === 'cancelled' ? 'cancelled' : 'internal'
  return new GrpcFailure(kind, messageOf(error), { details, cause: error })
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}
