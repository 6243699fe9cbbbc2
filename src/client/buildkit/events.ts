/** What is told of a build while it runs, from BuildKit's status messages. */
import type { statusResponse, vertexWarning } from '../../api/buildkit/control.ts'
import type { Of } from '../../api/buildkit/message.ts'
import { millisecondsOf } from '../../api/buildkit/operations.ts'

/** Lines count from 1, the last is among them. */
export interface SourceLines {
  readonly file: string
  readonly text: string
  readonly ranges: readonly { readonly first: number; readonly last: number }[]
}

/** Times are milliseconds since 1970, with fractions; `step` is a digest, the same from first to last. */
export type BuildEvent =
  /** As it is now; told again whenever it changes. */
  | {
      readonly kind: 'step'
      readonly step: string
      /** "[web 2/5] RUN npm ci". */
      readonly name: string
      readonly cached: boolean
      /** Why it is not, when the builder says so. */
      readonly missed: string | undefined
      readonly started: number | undefined
      readonly completed: number | undefined
      readonly error: string | undefined
    }
  /** A part of a step that takes its time: a layer that is fetched, a context that is sent. */
  | {
      readonly kind: 'part'
      readonly step: string
      readonly name: string
      readonly current: number
      /** 0 when nobody knows. */
      readonly total: number
      readonly started: number | undefined
      readonly completed: number | undefined
    }
  | {
      readonly kind: 'output'
      readonly step: string
      readonly stream: 'stdout' | 'stderr'
      readonly data: Uint8Array
      readonly at: number
    }
  | {
      readonly kind: 'warning'
      readonly text: string
      readonly detail: string
      readonly url: string
      readonly source: SourceLines | undefined
    }

export function eventsOf(status: Of<typeof statusResponse>): readonly BuildEvent[] {
  return [
    ...status.vertexes.map(
      ({ digest, name, cached, missed, started, completed, error }): BuildEvent => ({
        kind: 'step',
        step: digest,
        name,
        cached,
        missed: missed || undefined,
        started: timeOf(started),
        completed: timeOf(completed),
        error: error || undefined,
      }),
    ),
    ...status.statuses.map(
      ({ vertex, id, name, current, total, started, completed }): BuildEvent => ({
        kind: 'part',
        step: vertex,
        name: id || name,
        current,
        total,
        started: timeOf(started),
        completed: timeOf(completed),
      }),
    ),
    ...status.logs.map(
      ({ vertex, stream, data, timestamp }): BuildEvent => ({
        kind: 'output',
        step: vertex,
        stream: stream === 2 ? 'stderr' : 'stdout',
        data,
        at: timeOf(timestamp) ?? Date.now(),
      }),
    ),
    ...status.warnings.map(warningOf),
  ]
}

function warningOf({ short, detail, url, info, ranges }: Of<typeof vertexWarning>): BuildEvent {
  return {
    kind: 'warning',
    text: textOf(short),
    detail: detail.map(textOf).join('\n'),
    url,
    source: info && {
      file: info.filename,
      text: textOf(info.data),
      ranges: ranges.map(({ start, end }) => ({ first: start?.line ?? 1, last: end?.line ?? start?.line ?? 1 })),
    },
  }
}

type Time = Parameters<typeof millisecondsOf>[0] | undefined

function timeOf(time: Time): number | undefined {
  return time && millisecondsOf(time)
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}
