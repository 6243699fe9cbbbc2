/** What containers use as it changes: a stream of readings for each, containers that come and go by events. */
import type { ContainerStats, ContainerSummary } from '../api/containers.ts'
import { endpoints } from '../api/endpoints.ts'
import { isFailure } from '../lib/failure.ts'
import { projectFilter } from '../targets/engine/labels.ts'
import type { Call } from './command.ts'
import type { Replicas } from './replicas.ts'

interface Reading {
  readonly container: ContainerSummary
  readonly stats: ContainerStats | undefined
}

export interface Following {
  /** Who is shown, now. */
  find(): Promise<Replicas>
  print(readings: readonly Reading[]): Promise<void>
}

/** Every so often at most, in milliseconds, however many containers there are. */
const pace = 500

/** Prints at each change, until the call is interrupted. */
export async function follow({ signal }: Call, { find, print }: Following): Promise<void> {
  // subscribed first: what starts while we look is not missed
  const replicas = await find()
  const { client } = replicas
  const events = await client.stream(
    endpoints.events,
    {
      query: {
        filters: { ...projectFilter(replicas.project), type: ['container'], event: ['start', 'die', 'destroy'] },
      },
    },
    { signal },
  )
  const shown = new Map<string, { container: ContainerSummary; stats: ContainerStats | undefined; stop(): void }>()
  const failed = Promise.withResolvers<never>()
  let due: NodeJS.Timeout | undefined
  const draw = () => {
    due ??= setTimeout(() => {
      due = undefined
      print([...shown.values()]).catch(failed.reject)
    }, pace)
  }
  const read = async (id: string, stopped: AbortSignal) => {
    const stream = await client.stream(endpoints.containerStats, { params: { id } }, { signal: stopped })
    for await (const stats of stream) {
      const one = shown.get(id)
      if (one) one.stats = stats
      draw()
    }
  }
  const look = async () => {
    const { containers } = await find()
    const there = new Set(containers.map(each => each.Id))
    for (const [id, { stop }] of shown)
      if (!there.has(id)) {
        shown.delete(id)
        stop()
      }
    for (const container of containers) {
      if (shown.has(container.Id)) continue
      const control = new AbortController()
      shown.set(container.Id, { container, stats: undefined, stop: () => control.abort() })
      read(container.Id, AbortSignal.any([signal, control.signal])).catch((error: unknown) => {
        // gone while it was read: its event comes, or the call has ended
        if (!isFailure(error, 'not-found') && !isFailure(error, 'cancelled')) failed.reject(error)
      })
    }
    draw()
  }
  const watch = async () => {
    await look()
    for await (const _ of events) await look()
  }
  try {
    await Promise.race([watch(), failed.promise])
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    clearTimeout(due)
    for (const { stop } of shown.values()) stop()
  }
}
