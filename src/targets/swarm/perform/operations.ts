/** The operations of a plan as calls of a manager. */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { networkEndpoints } from '../../../api/networks.ts'
import { type ServiceSpec, type SwarmFileSpec, swarmObjects } from '../../../api/swarm-objects.ts'
import { gone } from '../../../apply/gone.ts'
import type { PerformContext, Performed, Performer } from '../../../apply/performer.ts'
import { resultOf } from '../../../apply/result-of.ts'
import type { Client } from '../../../client/client.ts'
import { Failure, isFailure } from '../../../lib/failure.ts'
import type { Ref } from '../../../plan/operation.ts'
import type { AuthSource } from '../observe.ts'
import type { FileRefs, FileToMake, SwarmOperation } from '../operation.ts'
import { Looks } from './looks.ts'
import { waitForService, waitUntilGone } from './wait.ts'

export function swarmPerformer(client: Client, registryAuth: AuthSource): Performer<SwarmOperation> {
  const looks = new Map<string, Looks>()
  const looksAt = (stack: string) => {
    const known = looks.get(stack) ?? new Looks(client, stack)
    looks.set(stack, known)
    return known
  }
  return {
    perform: (operation, context) => perform(operation, { ...context, client, registryAuth, looksAt }),
  }
}

interface Context extends PerformContext {
  readonly client: Client
  readonly registryAuth: AuthSource
  readonly looksAt: (stack: string) => Looks
}

async function perform(operation: SwarmOperation, context: Context): Promise<Performed | undefined> {
  const { client } = context
  switch (operation.kind) {
    case 'create-network':
      return {
        id: (
          await client.call(networkEndpoints.networkCreate, {
            body: operation.body,
          })
        ).Id,
      }
    case 'create-secret':
      return {
        id: (
          await client.call(swarmObjects.secretCreate, {
            body: bodyOf(operation.file),
          })
        ).ID,
      }
    case 'create-config':
      return {
        id: (
          await client.call(swarmObjects.configCreate, {
            body: bodyOf(operation.file),
          })
        ).ID,
      }
    case 'create-service': {
      const body = withIds(operation.spec, operation.files, context)
      const { ID, Warnings } = await client.call(swarmObjects.serviceCreate, {
        body,
        headers: await headersFor(body, context),
      })
      for (const warning of warningsOf(Warnings)) context.onWarning(warning)
      return { id: ID }
    }
    case 'update-service': {
      const body = withIds(operation.spec, operation.files, context)
      const input = {
        params: { id: operation.id },
        query: { version: operation.version, registryAuthFrom: 'spec' },
        body,
        headers: await headersFor(body, context),
      }
      const { Warnings } = await client.call(swarmObjects.serviceUpdate, input)
      for (const warning of warningsOf(Warnings)) context.onWarning(warning)
      return { id: operation.id }
    }
    case 'wait-service':
      return {
        outcome: await waitForService(
          context.looksAt(operation.stack),
          resultOf(operation.target, context.results),
          operation,
          context,
        ),
      }
    case 'wait-gone':
      await waitUntilGone(context.looksAt(operation.stack), operation, context.signal)
      return undefined
    case 'remove-service':
      return gone(
        client.call(swarmObjects.serviceRemove, {
          params: { id: operation.id },
        }),
      )
    case 'remove-network':
      return unlessUsed(
        () =>
          client.call(networkEndpoints.networkRemove, {
            params: { id: operation.id },
          }),
        context,
      )
    case 'remove-secret':
      return unlessUsed(
        () =>
          client.call(swarmObjects.secretRemove, {
            params: { id: operation.id },
          }),
        context,
      )
    case 'remove-config':
      return unlessUsed(
        () =>
          client.call(swarmObjects.configRemove, {
            params: { id: operation.id },
          }),
        context,
      )
    default:
      return operation satisfies never
  }
}

/** The digest is looked up by us, and what it warns of has been said. */
function warningsOf(warnings: readonly string[] | null | undefined): readonly string[] {
  return (warnings ?? []).filter(text => !/could not be accessed on a registry/.test(text))
}

async function headersFor(
  spec: ServiceSpec,
  { registryAuth }: Context,
): Promise<{ readonly registryAuth: string | undefined }> {
  return {
    registryAuth: await registryAuth(spec.TaskTemplate.ContainerSpec.Image.replace(/@.*$/, '')),
  }
}

/** @throws Failure when a file is no longer what its name stands for */
function bodyOf({ spec, content, sha256 }: FileToMake): SwarmFileSpec {
  if (content === undefined) return spec
  const data = 'file' in content ? readFileSync(content.file) : Buffer.from(content.text)
  if (hash('sha256', data) !== sha256)
    throw new Failure('conflict', 'its content has changed since it was looked at', { hint: 'Run up again' })
  return { ...spec, Data: data.toString('base64') }
}

function withIds(spec: ServiceSpec, { secrets, configs }: FileRefs, context: Context): ServiceSpec {
  const { ContainerSpec } = spec.TaskTemplate
  const id = (refs: Readonly<Record<string, Ref>>, name: string) => resultOf(refs[name]!, context.results)
  return {
    ...spec,
    TaskTemplate: {
      ...spec.TaskTemplate,
      ContainerSpec: {
        ...ContainerSpec,
        ...(ContainerSpec.Secrets && {
          Secrets: ContainerSpec.Secrets.map(each => ({
            ...each,
            SecretID: id(secrets, each.SecretName),
          })),
        }),
        ...(ContainerSpec.Configs && {
          Configs: ContainerSpec.Configs.map(each => ({
            ...each,
            ConfigID: id(configs, each.ConfigName),
          })),
        }),
      },
    },
  }
}

/** How long what held something may take to let it go, and how often that is asked for: no event tells of it. */
const patience = { milliseconds: 10_000, every: 250 }

/** What somebody else still uses stays, as on one machine. */
async function unlessUsed(call: () => Promise<unknown>, { signal }: PerformContext): Promise<Performed | undefined> {
  const end = Date.now() + patience.milliseconds
  for (;;)
    try {
      return await gone(call())
    } catch (error) {
      if (!isFailure(error) || !/in use|active endpoints/.test(error.message)) throw error
      if (Date.now() >= end || signal.aborted) return { outcome: 'in-use' }
      await pause(patience.every, undefined, { signal })
    }
}
