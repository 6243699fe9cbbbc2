/** What a container uses, once its groups are there again: one sample, or one a second. */
import type { ContainerStats } from '../../../api/containers.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Container } from '../container.ts'
import { mend } from '../mend.ts'
import type { Parts } from '../parts.ts'

export interface StatsOptions {
  readonly stream: boolean
  readonly oneShot?: boolean
  readonly signal: AbortSignal
}

/** @throws Failure `invalid` before the first item for what Docker refuses, too. */
export function mendedStats(parts: Parts, container: Container, options: StatsOptions): AsyncIterable<ContainerStats> {
  if (options.stream && options.oneShot) throw new Failure('invalid', 'cannot have stream=true and one-shot=true')
  return mended(parts, container, options)
}

async function* mended(parts: Parts, container: Container, options: StatsOptions): AsyncIterable<ContainerStats> {
  await mend(parts, container)
  const { stats } = await import('./stats.ts')
  yield* stats(parts, container, { ...options, oneShot: options.oneShot ?? false })
}
