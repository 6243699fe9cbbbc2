/** The operations of a plan as calls of the Docker Engine API. */
import type { ContainerCreate } from '../../../api/container-body.ts'
import { containerEndpoints } from '../../../api/containers.ts'
import { imageEndpoints } from '../../../api/images.ts'
import { networkEndpoints } from '../../../api/networks.ts'
import { volumeEndpoints } from '../../../api/volumes.ts'
import { gone } from '../../../apply/gone.ts'
import type { PerformContext, Performed, Performer } from '../../../apply/performer.ts'
import { resultOf } from '../../../apply/result-of.ts'
import type { Client } from '../../../client/client.ts'
import { isFailure, messageOf } from '../../../lib/failure.ts'
import type { Ref } from '../../../plan/operation.ts'
import type { Late, Operation } from '../operation.ts'
import { lastingName } from '../plan/names.ts'
import { adoptedContainer, adoptedNetwork } from './adopt.ts'
import { runHook } from './hook.ts'
import { runInit } from './init.ts'
import { monitor, patience } from './monitor.ts'
import { pull, type RegistryAuthSource } from './pull.ts'
import { withSeccompProfiles } from './seccomp-profiles.ts'
import { onceSettled } from './settled.ts'
import { tarOf } from './tar.ts'
import { Waiter } from './wait.ts'

export interface EngineOptions {
  readonly registryAuth?: RegistryAuthSource | undefined
  /** Of this process, for what a build may use of it: SSH_AUTH_SOCK. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Called before a container of a service is started: for whoever must listen by then. */
  readonly beforeStart?:
    | ((container: { readonly id: string; readonly name: string; readonly service: string }) => Promise<void>)
    | undefined
}

/** What carries out plans on one engine. */
export function enginePerformer(client: Client, options: EngineOptions = {}): Performer<Operation> {
  const waiter = new Waiter(client)
  return {
    begin(plan) {
      // ahead of time, so that the first wait need not
      const listens = (kind: Operation['kind']) => kind === 'wait-container' || kind === 'monitor-container'
      if (plan.nodes.some(({ operation }) => listens(operation.kind))) waiter.open()
    },
    perform: (operation, context) => perform(operation, { ...context, ...options, client, waiter }),
    end: () => waiter.close(),
  }
}

interface Context extends PerformContext, EngineOptions {
  readonly client: Client
  readonly waiter: Waiter
}

async function perform(operation: Operation, context: Context): Promise<Performed | undefined> {
  const { client } = context
  switch (operation.kind) {
    case 'create-network':
      return {
        id: (
          await created(client.call(networkEndpoints.networkCreate, { body: operation.body }), () =>
            adoptedNetwork(client, operation),
          )
        ).Id,
      }
    case 'remove-network':
      return unlessUsed(client.call(networkEndpoints.networkRemove, { params: { id: operation.id } }))
    case 'create-volume':
      await client.call(volumeEndpoints.volumeCreate, { body: operation.body })
      return undefined
    case 'remove-volume':
      return unlessUsed(client.call(volumeEndpoints.volumeRemove, { params: { name: operation.name } }))
    case 'pull-image':
      return { id: await pull(operation, context) }
    case 'build-image':
      // HTTP/2 and Protocol Buffers come with it
      return { id: await (await import('./build.ts')).build(operation, context) }
    case 'remove-image':
      return gone(client.call(imageEndpoints.imageRemove, { params: { name: operation.name } }))
    case 'create-container': {
      const body = await bodyOf(operation, context)
      const query = { name: operation.createName, platform: operation.platform, strict: true }
      const container = await created(client.call(containerEndpoints.containerCreate, { body, query }), () =>
        adoptedContainer(client, operation.createName, body),
      )
      for (const warning of container.Warnings ?? []) context.onWarning(warning)
      return { id: container.Id }
    }
    case 'run-init':
      await runInit(client, { ...operation, body: await bodyOf(operation, context) }, context)
      return undefined
    case 'delay':
      await patience(operation.milliseconds, context.signal)
      return undefined
    default: {
      const id = resultOf(operation.container, context.results)
      return onceSettled({ waiter: context.waiter, id, signal: context.signal }, () =>
        onContainer(operation, id, context),
      )
    }
  }
}

type OnContainer = Exclude<Extract<Operation, { readonly container: Ref }>, { readonly kind: 'run-init' }>

async function onContainer(operation: OnContainer, id: string, context: Context): Promise<Performed | undefined> {
  const { client } = context
  const params = { id }
  switch (operation.kind) {
    case 'upload-files': {
      // owner and mode are those of the entries: copyUIDGID would give them to the user of the container
      const query = { path: '/', noOverwriteDirNonDir: true }
      await client.call(containerEndpoints.containerArchivePut, { params, query, body: tarOf(operation.files) })
      return undefined
    }
    case 'update-container': {
      const { Warnings } = await client.call(containerEndpoints.containerUpdate, { params, body: operation.update })
      for (const warning of Warnings ?? []) context.onWarning(warning)
      return undefined
    }
    case 'start-container':
      if (operation.service !== undefined)
        await context.beforeStart?.({ id, name: operation.name, service: operation.service })
      await client.call(containerEndpoints.containerStart, { params, query: successor(operation, context) })
      return undefined
    case 'take-over': {
      const from = resultOf(operation.from, context.results)
      await client.call(containerEndpoints.containerHandOver, { params: { id: from }, query: { to: id } })
      return undefined
    }
    case 'drain-container':
      return gone(
        client.call(
          containerEndpoints.containerDrain,
          { params, query: grace(operation.timeout) },
          { signal: context.signal },
        ),
      )
    case 'run-hook':
      await runHook(client, id, { ...operation, onOutput: context.onOutput })
      return undefined
    case 'unpause-container':
      await client.call(containerEndpoints.containerUnpause, { params })
      return undefined
    case 'pause-container':
      await client.call(containerEndpoints.containerPause, { params })
      return undefined
    case 'wait-container':
      try {
        return { outcome: await context.waiter.wait(id, operation, context.signal) }
      } catch (error) {
        if (operation.required || context.signal.aborted) throw error
        const why = messageOf(error).replace(/^dependency failed to start: /, '')
        context.onWarning(`optional dependency "${operation.service}" failed to start: ${why}`)
        return { outcome: 'unready' }
      }
    case 'monitor-container':
      return { outcome: await monitor(context.waiter, id, operation, context.signal) }
    case 'stop-container':
      return gone(client.call(containerEndpoints.containerStop, { params, query: grace(operation.timeout) }))
    case 'restart-container':
      await client.call(containerEndpoints.containerRestart, { params, query: grace(operation.timeout) })
      return undefined
    case 'kill-container':
      try {
        await client.call(containerEndpoints.containerKill, { params, query: { signal: operation.signal } })
      } catch (error) {
        // it has ended by itself
        if (!isFailure(error, 'conflict') && !isFailure(error, 'not-found')) throw error
      }
      return undefined
    case 'connect-network': {
      const body = { Container: id, EndpointConfig: operation.endpoint }
      await client.call(networkEndpoints.networkConnect, { params: { id: operation.network }, body })
      return undefined
    }
    case 'disconnect-network':
      return gone(
        client.call(networkEndpoints.networkDisconnect, {
          params: { id: operation.network },
          body: { Container: id, Force: true },
        }),
      )
    case 'rename-container':
      await renamed(client, id, operation.to ?? operation.name)
      return undefined
    case 'remove-container':
      return gone(
        client.call(containerEndpoints.containerRemove, {
          params,
          query: {
            force: operation.force,
            v: operation.volumes,
            ...(operation.keepsLog ? { keeplog: lastingName(operation.name) } : {}),
          },
        }),
      )
    default:
      return operation satisfies never
  }
}

function bodyOf(
  { body, late }: Pick<Operation & { kind: 'create-container' }, 'body' | 'late'>,
  { results }: PerformContext,
): Promise<ContainerCreate> {
  return withSeccompProfiles(bound(body, late, ref => resultOf(ref, results)))
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

/** Whoever made the same at the same time did what was wanted. */
async function created<T>(call: Promise<T>, adopt: () => Promise<T | undefined>): Promise<T> {
  try {
    return await call
  } catch (error) {
    const other = isFailure(error, 'conflict') ? await adopt() : undefined
    if (other === undefined) throw error
    return other
  }
}

/** Whoever gave it that name first did what was wanted; engines refuse to do it again. */
async function renamed(client: Client, id: string, name: string): Promise<void> {
  const params = { id }
  try {
    await client.call(containerEndpoints.containerRename, { params, query: { name } })
  } catch (error) {
    if (!isFailure(error)) throw error
    const { Name } = await client.call(containerEndpoints.containerInspect, { params })
    if (Name !== `/${name}`) throw error
  }
}

/** What somebody else still uses stays, as with Docker Compose. */
async function unlessUsed(call: Promise<unknown>): Promise<Performed | undefined> {
  try {
    return await gone(call)
  } catch (error) {
    if (!isFailure(error, 'conflict') && !isFailure(error, 'denied')) throw error
    return { outcome: 'in-use' }
  }
}

function successor(
  { successorOf }: Operation & { kind: 'start-container' },
  { results }: PerformContext,
): { readonly successorOf?: string } {
  return successorOf === undefined ? {} : { successorOf: resultOf(successorOf, results) }
}

function grace(timeout: number | undefined): { readonly t?: number } {
  return timeout === undefined ? {} : { t: timeout }
}
