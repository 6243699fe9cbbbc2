/** Stops all that runs at an engine, side by side, each within its own grace period. */
import { containerEndpoints } from '../api/containers.ts'
import type { Client } from '../client/client.ts'
import { isFailure } from '../lib/failure.ts'

/** How many there were. @throws Failure of the first that could not be stopped, once all others are */
export async function stopContainers(client: Client, signal: AbortSignal): Promise<number> {
  const running = await client.call(containerEndpoints.containerList, {}, { signal })
  const ended = await Promise.allSettled(
    running.map(({ Id: id }) =>
      client.call(containerEndpoints.containerStop, { params: { id } }, { signal }).catch((error: unknown) => {
        // it has ended or gone by itself meanwhile
        if (!isFailure(error, 'not-found') && !isFailure(error, 'not-modified')) throw error
      }),
    ),
  )
  for (const each of ended) if (each.status === 'rejected') throw each.reason
  return running.length
}
