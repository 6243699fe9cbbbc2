/** What a container uses, once its groups are there again: one sample, or one a second. */
import type { ContainerStats } from '../../../api/containers.ts'
import type { Container } from '../container.ts'
import { mend } from '../mend.ts'
import type { Parts } from '../parts.ts'

export interface StatsOptions {
  readonly stream: boolean
  readonly oneShot?: boolean
  readonly signal: AbortSignal
}

export async function* mendedStats(
  parts: Parts,
  container: Container,
  options: StatsOptions,
): AsyncIterable<ContainerStats> {
  await mend(parts, container)
  const { stats } = await import('./stats.ts')
  yield* stats(parts, container, { ...options, oneShot: options.oneShot ?? false })
}
