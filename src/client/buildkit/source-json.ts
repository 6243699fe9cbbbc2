/** Places in a Dockerfile as BuildKit writes them in JSON. */
import type { SourceLines } from './events.ts'

export interface RangeJson {
  readonly start?: { readonly line?: number }
  readonly end?: { readonly line?: number }
}

export interface SourceInfoJson {
  readonly filename?: string
  /** base64. */
  readonly data?: string
}

export function rangesOf(ranges: readonly RangeJson[] | undefined): SourceLines['ranges'] {
  return (ranges ?? []).map(({ start, end }) => ({ first: start?.line ?? 1, last: end?.line ?? start?.line ?? 1 }))
}

export function sourceLines(info: SourceInfoJson | undefined, ranges: SourceLines['ranges']): SourceLines | undefined {
  if (!info?.data) return undefined
  return { file: info.filename ?? 'Dockerfile', text: Buffer.from(info.data, 'base64').toString('utf8'), ranges }
}
