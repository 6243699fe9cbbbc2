/** What containers of a stack use, each second: a stream of readings a container, those that come and go by events. */
import { type ContainerSummary, containerEndpoints } from '../api/containers.ts'
import { listedName } from '../api/listed-name.ts'
import { systemEndpoints } from '../api/system.ts'
import type { Client } from '../client/client.ts'
import { isFailure } from '../lib/failure.ts'
import { projectFilter } from '../targets/engine/labels.ts'
import { serviceOf } from '../view/names.ts'
import { type UsageLimits, usageOf } from '../view/usage.ts'
import { until } from './live.ts'
import type { Usage } from './wire.ts'

/** Milliseconds in which readings of several containers are gathered. */
const pace = 250

export interface StatsOf {
  readonly client: Client
  readonly stack: string
  readonly signal: AbortSignal
}

export async function sendStats(
  { client, stack, signal }: StatsOf,
  send: (usages: readonly Usage[]) => Promise<void>,
): Promise<void> {
  const reading = new Map<string, AbortController>()
  const failed = Promise.withResolvers<never>()
  let gathered: Usage[] = []
  let due: NodeJS.Timeout | undefined
  const flush = (): void => {
    due = undefined
    const usages = gathered
    gathered = []
    void send(usages)
  }
  const read = async (container: ContainerSummary, stopped: AbortSignal): Promise<void> => {
    const params = { id: container.Id }
    const { HostConfig } = await client.call(containerEndpoints.containerInspect, { params }, { signal: stopped })
    const limits: UsageLimits = {
      memory: HostConfig.Memory ?? 0,
      nanoCpus: HostConfig.NanoCpus ?? 0,
      cpuQuota: HostConfig.CpuQuota ?? 0,
      cpuPeriod: HostConfig.CpuPeriod ?? 0,
    }
    const stream = await client.stream(containerEndpoints.containerStats, { params }, { signal: stopped })
    for await (const stats of stream) {
      const usage = usageOf(stats, limits)
      if (usage) gathered.push({ container: listedName(container), service: serviceOf(container), ...usage })
      due ??= setTimeout(flush, pace)
    }
  }
  const look = async (): Promise<void> => {
    const query = { filters: { ...projectFilter(stack), status: ['running', 'paused'] } }
    const containers = await client.call(containerEndpoints.containerList, { query }, { signal })
    const there = new Set(containers.map(each => each.Id))
    for (const [id, control] of reading)
      if (!there.has(id)) {
        reading.delete(id)
        control.abort()
      }
    for (const container of containers) {
      if (reading.has(container.Id)) continue
      const control = new AbortController()
      reading.set(container.Id, control)
      read(container, AbortSignal.any([signal, control.signal])).catch((error: unknown) => {
        // gone while it was read, or no longer wanted
        if (!isFailure(error, 'not-found') && !isFailure(error, 'cancelled')) failed.reject(error)
      })
    }
  }
  const watch = async (): Promise<void> => {
    const query = { filters: { ...projectFilter(stack), type: ['container'], event: ['start', 'die', 'destroy'] } }
    const events = await client.stream(systemEndpoints.events, { query }, { signal })
    await look()
    for await (const _ of events) await look()
  }
  try {
    await Promise.race([watch(), failed.promise, until(signal)])
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    clearTimeout(due)
    for (const control of reading.values()) control.abort()
  }
}
