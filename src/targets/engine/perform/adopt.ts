/** What somebody else made under a name we wanted, when it is just what we would have made. */
import type { ContainerCreate } from '../../../api/container-body.ts'
import { type ContainerCreated, containerEndpoints } from '../../../api/containers.ts'
import { networkEndpoints } from '../../../api/networks.ts'
import type { Client } from '../../../client/client.ts'
import { isFailure } from '../../../lib/failure.ts'
import { labels } from '../labels.ts'
import type { Operation } from '../operation.ts'

type Labels = Readonly<Record<string, string>> | null | undefined

export async function adoptedNetwork(
  client: Client,
  { name, body }: Operation & { kind: 'create-network' },
): Promise<{ readonly Id: string; readonly Warning: string } | undefined> {
  const found = await unlessGone(client.call(networkEndpoints.networkInspect, { params: { id: name } }))
  const same =
    found?.Name === name && alike(found.Labels, body.Labels, [labels.project, labels.network, labels.configHash])
  return same ? { Id: found.Id, Warning: '' } : undefined
}

/** One of the same project, service, number and configuration that still has to be started, or runs. */
export async function adoptedContainer(
  client: Client,
  name: string,
  body: ContainerCreate,
): Promise<ContainerCreated | undefined> {
  const found = await unlessGone(client.call(containerEndpoints.containerInspect, { params: { id: name } }))
  const keys = [labels.project, labels.service, labels.number, labels.oneOff, labels.configHash, labels.image]
  const oneOff = body.Labels?.[labels.oneOff] === 'True'
  const same = found?.Name === `/${name}` && !oneOff && alike(found.Config.Labels, body.Labels, keys)
  return same ? { Id: found.Id, Warnings: [] } : undefined
}

function alike(one: Labels, other: Labels, keys: readonly string[]): boolean {
  return keys.every(key => one?.[key] === other?.[key])
}

async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (isFailure(error, 'not-found')) return undefined
    throw error
  }
}
