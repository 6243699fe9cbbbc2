/** Why a build failed: the sentence, and the lines of the Dockerfile it is about, which BuildKit puts beside it. */
import type { GrpcFailure } from '../../api/buildkit/grpc-status.ts'
import { Failure } from '../../lib/failure.ts'
import type { SourceLines } from './events.ts'
import { type RangeJson, rangesOf, type SourceInfoJson, sourceLines } from './source-json.ts'

export class BuildFailure extends Failure {
  readonly source: SourceLines | undefined
  /** The step that failed. */
  readonly step: string | undefined

  constructor(error: GrpcFailure) {
    super(error.kind, error.message.replace(/^failed to solve: /, ''), { cause: error })
    this.name = 'BuildFailure'
    this.source = detail(error, 'Source', sourceOf)
    this.step = detail(error, 'Vertex', data => (typeof data['digest'] === 'string' ? data['digest'] : undefined))
  }
}

type Data = Readonly<Record<string, unknown>>

/** "github.com/moby/buildkit/errdefs.Source+json", whose value is JSON. */
function detail<T>({ details }: GrpcFailure, name: string, read: (data: Data) => T | undefined): T | undefined {
  for (const { typeUrl, value } of details) {
    if (!typeUrl.endsWith(`/errdefs.${name}+json`)) continue
    try {
      const found = read(JSON.parse(Buffer.from(value).toString('utf8')) as Data)
      if (found !== undefined) return found
    } catch {
      // of a builder that writes it otherwise: the sentence says what failed
    }
  }
  return undefined
}

function sourceOf(data: Data): SourceLines | undefined {
  const { info, ranges } = data as { readonly info?: SourceInfoJson; readonly ranges?: readonly RangeJson[] }
  return sourceLines(info, rangesOf(ranges))
}
