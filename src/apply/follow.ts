/** The logs of many containers as one stream of lines. */
import type { Client } from '../client/client.ts'
import { Failure } from '../lib/failure.ts'

export interface LogLine {
  readonly service: string
  /** Container name. */
  readonly container: string
  readonly number: number | undefined
  readonly stream: 'stdout' | 'stderr'
  /** RFC 3339 with nanoseconds, when asked for. */
  readonly time: string | undefined
  /** Without its newline. */
  readonly text: string
}

export type FollowEvent =
  | ({ readonly kind: 'line' } & LogLine)
  | { readonly kind: 'exited'; readonly service: string; readonly container: string; readonly exitCode: number }

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined
  /** Undefined: all. */
  readonly services?: readonly string[]
  /** Go on with what is written later, and with containers that are started later. */
  readonly follow?: boolean
  /** Lines of each container's past; undefined: all. */
  readonly tail?: number
  /** Seconds since 1970. */
  readonly since?: number
  readonly until?: number
  readonly timestamps?: boolean
  /** End when every container that was seen has ended: attached `up`. */
  readonly untilExited?: boolean
}

/** Ends when there is no more to come, or when the signal fires. */
export async function* follow(
  _client: Client,
  _projectName: string,
  _options: FollowOptions = {},
): AsyncGenerator<FollowEvent> {
  throw new Failure('internal', 'Not yet written')
}
