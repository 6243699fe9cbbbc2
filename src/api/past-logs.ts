/**
 * Ours: what containers have printed that are no more, where whoever removed them asked for it to be kept (`keeplog` of their removal).
 * It belongs to a name: that of the container which comes after. When that is removed without a word of its log, the past goes too.
 */
import { endpoint, json, output, table } from './endpoint.ts'

export interface PastLog {
  /** The container's. */
  readonly Id: string
  /** Of the container that it is the past of. */
  readonly Name: string
  /** The container's. */
  readonly Labels: Readonly<Record<string, string>>
  /** When it was removed, RFC 3339. */
  readonly Removed: string
  /** Bytes on disk. */
  readonly Size: number
}

export const pastLogEndpoints = table({
  /** Filters: label, name. By when they were removed. */
  pastLogList: endpoint('GET', '/pastlogs', {
    query: { filters: 'filters' },
    reply: json<readonly PastLog[]>(),
  }),
  /** As the log of a container that runs no more. */
  pastLogRead: endpoint('GET', '/pastlogs/{id}', {
    query: {
      stdout: 'boolean',
      stderr: 'boolean',
      tail: 'string',
      since: 'time',
      until: 'time',
      timestamps: 'boolean',
      details: 'boolean',
    },
    reply: output,
  }),
  /** Those that the filters choose (label, name) and that are the past of no container any more. */
  pastLogPrune: endpoint('DELETE', '/pastlogs', { query: { filters: 'filters' } }),
})
