/** The answer to `frontend.lint`: what a builder thinks of a Dockerfile. (buildkit: frontend/subrequests/lint) */
import { Failure } from '../../lib/failure.ts'
import type { SourceLines } from './events.ts'
import { type RangeJson, rangesOf, type SourceInfoJson, sourceLines } from './source-json.ts'

export interface LintWarning {
  /** "JSONArgsRecommended"; undefined for a Dockerfile that could not be built at all. */
  readonly rule: string | undefined
  readonly text: string
  readonly url: string
  readonly source: SourceLines | undefined
}

interface LocationJson {
  readonly sourceIndex?: number
  readonly ranges?: readonly RangeJson[]
}

interface LintJson {
  readonly warnings?: readonly {
    readonly ruleName?: string
    readonly detail?: string
    readonly description?: string
    readonly url?: string
    readonly location?: LocationJson
  }[]
  readonly sources?: readonly SourceInfoJson[]
  readonly buildError?: { readonly message?: string; readonly location?: LocationJson }
}

/** @throws Failure `unsupported` for a builder that does not answer this question */
export function lintWarnings(json: Uint8Array | undefined): readonly LintWarning[] {
  if (json === undefined)
    throw new Failure('unsupported', 'Cannot check the Dockerfile: the builder does not know how to')
  const { warnings, sources = [], buildError } = parse(json)
  const sourceOf = ({ sourceIndex = 0, ranges }: LocationJson = {}) =>
    sourceLines(sources[sourceIndex], rangesOf(ranges))
  return [
    ...(warnings ?? []).map(({ ruleName, detail, description, url = '', location }) => ({
      rule: ruleName,
      text: detail || description || '',
      url,
      source: sourceOf(location),
    })),
    ...(buildError
      ? [{ rule: undefined, text: buildError.message ?? '', url: '', source: sourceOf(buildError.location) }]
      : []),
  ]
}

function parse(json: Uint8Array): LintJson {
  try {
    return JSON.parse(Buffer.from(json).toString('utf8')) as LintJson
  } catch (cause) {
    throw new Failure('internal', 'Cannot check the Dockerfile: the answer of the builder is not JSON', { cause })
  }
}
