/** An operation as the API call it stands for. */

import type { ContainerCreate } from '../api/container-body.ts'
import { containerEndpoints } from '../api/containers.ts'
import { imageEndpoints } from '../api/images.ts'
import { networkEndpoints } from '../api/networks.ts'
import { volumeEndpoints } from '../api/volumes.ts'
import type { Client } from '../client/client.ts'
import { Failure, isFailure, messageOf } from '../lib/failure.ts'
import type { Late, NodeId, Operation, Ref } from '../plan/operation.ts'
import { pull, type RegistryAuthSource } from './pull.ts'
import { tarOf } from './tar.ts'
import type { Waiter } from './wait.ts'

export interface OperationContext {
  readonly client: Client
  /** What earlier nodes gave: ids of containers and images. */
  readonly results: ReadonlyMap<NodeId, string>
  readonly waiter: Waiter
  /** Ends what may take long without changing anything: pulls and waits. */
  readonly signal: AbortSignal
  readonly registryAuth: RegistryAuthSource | undefined
  readonly onProgress: (text: string, current?: number, total?: number) => void
  readonly onWarning: (text: string) => void
}

/** Performs it; the id of what it made, where something was made. */
export async function perform(operation: Operation, context: OperationContext): Promise<string | undefined> {
  const { client, results } = context
  const id = (ref: Ref): string => resolve(ref, results)
  const container = (): { params: { id: string } } => ({
    params: { id: 'container' in operation ? id(operation.container) : '' },
  })
  switch (operation.kind) {
    case 'create-network':
      return (await client.call(networkEndpoints.networkCreate, { body: operation.body })).Id
    case 'remove-network':
      return gone(client.call(networkEndpoints.networkRemove, { params: { id: operation.id } }))
    case 'create-volume':
      await client.call(volumeEndpoints.volumeCreate, { body: operation.body })
      return undefined
    case 'remove-volume':
      return gone(client.call(volumeEndpoints.volumeRemove, { params: { name: operation.name } }))
    case 'pull-image':
      return pull(operation, context)
    case 'remove-image':
      await gone(client.call(imageEndpoints.imageRemove, { params: { name: operation.name } }))
      return undefined
    case 'create-container': {
      const body = bound(operation.body, operation.late, id)
      const query = { name: operation.createName, platform: operation.platform }
      const created = await client.call(containerEndpoints.containerCreate, { body, query })
      for (const warning of created.Warnings ?? []) context.onWarning(warning)
      return created.Id
    }
    case 'upload-files':
      await client.call(containerEndpoints.containerArchivePut, {
        ...container(),
        // owner and mode are those of the entries
        query: { path: '/', noOverwriteDirNonDir: true, copyUIDGID: true },
        body: tarOf(operation.files),
      })
      return undefined
    case 'start-container':
      await client.call(containerEndpoints.containerStart, container())
      return undefined
    case 'unpause-container':
      await client.call(containerEndpoints.containerUnpause, container())
      return undefined
    case 'pause-container':
      await client.call(containerEndpoints.containerPause, container())
      return undefined
    case 'wait-container':
      try {
        await context.waiter.wait(id(operation.container), operation, context.signal)
      } catch (error) {
        if (operation.required || context.signal.aborted) throw error
        context.onWarning(messageOf(error))
      }
      return undefined
    case 'stop-container':
      await gone(client.call(containerEndpoints.containerStop, { ...container(), query: grace(operation.timeout) }))
      return undefined
    case 'restart-container':
      await onceEnded(context, container().params, () =>
        client.call(containerEndpoints.containerRestart, { ...container(), query: grace(operation.timeout) }),
      )
      return undefined
    case 'kill-container':
      try {
        await client.call(containerEndpoints.containerKill, { ...container(), query: { signal: operation.signal } })
      } catch (error) {
        // it has ended by itself
        if (!isFailure(error, 'conflict') && !isFailure(error, 'not-found')) throw error
      }
      return undefined
    case 'rename-container':
      await client.call(containerEndpoints.containerRename, { ...container(), query: { name: operation.name } })
      return undefined
    case 'remove-container':
      await onceEnded(context, container().params, () =>
        gone(
          client.call(containerEndpoints.containerRemove, {
            ...container(),
            query: { force: operation.force, v: operation.volumes },
          }),
        ),
      )
      return undefined
    default:
      return operation satisfies never
  }
}

function resolve(ref: Ref, results: ReadonlyMap<NodeId, string>): string {
  if (typeof ref === 'string') return ref
  const result = results.get(ref.node)
  if (result === undefined) throw new Failure('internal', `Cannot use the result of #${ref.node}: it has none`)
  return result
}

/** A copy of the body with what is known only now. */
function bound(body: ContainerCreate, late: readonly Late[], id: (ref: Ref) => string): ContainerCreate {
  if (late.length === 0) return body
  const copy = structuredClone(body)
  for (const { path, ref, before, after, list } of late) {
    let parent = copy as unknown as Record<string, unknown>
    for (const key of path.slice(0, -1)) parent = (parent[key] ??= {}) as Record<string, unknown>
    const key = path.at(-1)!
    const value = before + id(ref) + after
    parent[key] = list ? [...((parent[key] as string[] | undefined) ?? []), value] : value
  }
  return copy
}

/** Whoever removed it first did what was wanted. */
async function gone(call: Promise<unknown>): Promise<undefined> {
  try {
    await call
  } catch (error) {
    if (!isFailure(error, 'not-found')) throw error
  }
  return undefined
}

function grace(timeout: number | undefined): { readonly t?: number } {
  return timeout === undefined ? {} : { t: timeout }
}

/** Engines that answer while a process is still going ("container init still running", "removal … already in progress") are asked again when it has gone. */
async function onceEnded(
  { client, signal }: OperationContext,
  params: { readonly id: string },
  call: () => Promise<unknown>,
): Promise<void> {
  try {
    await call()
  } catch (error) {
    const busy = /init still running|already in progress/.exec(messageOf(error))?.[0]
    if (busy === undefined) throw error
    const condition = busy === 'already in progress' ? 'removed' : 'not-running'
    await gone(ended(client, { params, condition, signal }))
    if (condition === 'not-running') await call()
  }
}

async function ended(
  client: Client,
  { params, condition, signal }: { params: { readonly id: string }; condition: string; signal: AbortSignal },
): Promise<void> {
  const stream = await client.stream(containerEndpoints.containerWait, { params, query: { condition } }, { signal })
  for await (const _ of stream) return
}
