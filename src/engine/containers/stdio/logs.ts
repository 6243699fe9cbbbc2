/** A container's log, from its file. */
import type { Output } from '../../../api/endpoint.ts'
import { Failure } from '../../../lib/failure.ts'
import { readBatches } from '../../logs/read.ts'
import { isReadable } from '../config/log-file.ts'
import type { Container } from '../container.ts'
import type { Parts } from '../parts.ts'

export interface LogsOptions {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly follow?: boolean | undefined
  /** "all", "" or a number of lines. */
  readonly tail?: string | undefined
  /** Nanoseconds since the epoch. */
  readonly since?: bigint | undefined
  readonly until?: bigint | undefined
  readonly timestamps?: boolean | undefined
  readonly details?: boolean | undefined
  readonly signal: AbortSignal
}

export async function logs(parts: Parts, container: Container, options: LogsOptions): Promise<Output> {
  if (!isReadable(container.record.hostConfig.LogConfig))
    throw new Failure('unsupported', 'configured logging driver does not support reading')
  const { tail } = options
  const path = parts.paths.containerLog(container.id)
  return {
    tty: container.record.config.Tty,
    output: await readBatches(path, {
      ...options,
      tail: tail !== undefined && /^\d+$/.test(tail) ? Number(tail) : undefined,
      follow: options.follow ? container.process?.exited : undefined,
      onFollow: follower => parts.compressor.reading(path, follower),
    }),
  }
}
