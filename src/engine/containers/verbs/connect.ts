/** Connects a container to a network and takes it off again, running or not. */
import type { EndpointSettings } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import { checkEndpoint } from '../../networks/endpoint-check.ts'
import { endpointRequest } from '../../networks/endpoint-request.ts'
import { networkKind } from '../config/endpoints.ts'
import type { Container } from '../container.ts'
import { memberOf } from '../member.ts'
import type { Parts } from '../parts.ts'

interface Save {
  readonly save: (container: Container) => Promise<void>
}

/**
 * Killed at any moment, an engine leaves what the next one can tell: the state knows of an interface before it is there, and the record of a
 * network once it is; of both, the record is right (`leaveUntold`).
 */
export async function connect(
  parts: Parts,
  container: Container,
  { network, settings, save }: { readonly network: string; readonly settings: EndpointSettings } & Save,
): Promise<void> {
  const { name, id } = parts.networks.get(network)
  const { record, state } = container
  const { kind } = networkKind(record.hostConfig.NetworkMode)
  const onNone = isOnNone(container)
  if (name === 'host' && kind !== 'host')
    throw new Failure(
      'invalid',
      'cannot connect container to host network - container must be created in host network mode',
    )
  if (kind === 'host' || kind === 'container')
    throw new Failure(
      'denied',
      'container sharing network namespace with another container or host cannot be connected to any other network',
    )
  const isThere = (endpoint: { readonly network: string }) => endpoint.network === name || endpoint.network === id
  // of one that does not run the wishes change
  if (name === 'none' ? onNone : container.running && record.endpoints.some(isThere))
    throw new Failure('denied', `endpoint with name ${container.name} already exists in network ${name}`)
  if (name === 'none' || onNone)
    throw new Failure(
      'invalid',
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    )
  const request = endpointRequest(name, settings)
  checkEndpoint(parts.networks.get(network), request)
  if (container.running && state.sandbox) {
    const note = async () => {
      noteNetwork(parts, container)
      await container.save()
    }
    try {
      await parts.networks.connect(memberOf(container), request, { sandbox: state.sandbox, told: note })
    } finally {
      await note()
    }
  }
  const mode = kind === 'none' ? name : record.hostConfig.NetworkMode
  container.record = {
    ...record,
    endpoints: [...record.endpoints.filter(endpoint => !isThere(endpoint)), request],
    hostConfig: { ...record.hostConfig, NetworkMode: mode },
  }
  await save(container)
}

export async function disconnect(
  parts: Parts,
  container: Container,
  { network, force, save }: { readonly network: string; readonly force: boolean } & Save,
): Promise<void> {
  const { record, state } = container
  // what is asked for and is not there any more goes by force alone
  const { name, id } = force ? (parts.networks.find(network) ?? gone(container, network)) : parts.networks.get(network)
  if (name === 'none' && isOnNone(container)) {
    container.record = { ...record, leftNone: true }
    return await save(container)
  }
  if (name === 'host' && networkKind(record.hostConfig.NetworkMode).kind === 'host')
    throw new Failure(
      'invalid',
      'cannot disconnect container from host network - container was created in host network mode',
    )
  const rest = record.endpoints.filter(endpoint => endpoint.network !== name && endpoint.network !== id)
  // 500 in Docker's own words
  if (rest.length === record.endpoints.length)
    throw new Failure('internal', `container ${container.id} is not connected to network ${name}`)
  container.record = { ...record, endpoints: rest }
  await save(container)
  if (!container.running || !state.sandbox) return
  try {
    await leave(parts, container, id)
  } catch (error) {
    container.record = { ...container.record, endpoints: record.endpoints }
    await save(container)
    throw error
  }
}

/** After an engine that was killed: networks that the container is on by its state and not by its record. It runs. */
export async function leaveUntold(parts: Parts, container: Container): Promise<void> {
  const told = new Set(container.record.endpoints.map(({ network }) => parts.networks.find(network)?.id ?? network))
  for (const { networkId, network } of parts.networks.attachments(container.id)) {
    if (told.has(networkId)) continue
    parts.say(
      `"${container.name}" was about to join network "${network}" or to leave it when the engine ended: it is off it`,
    )
    await leave(parts, container, networkId)
  }
}

async function leave(parts: Parts, container: Container, network: string): Promise<void> {
  await parts.networks.disconnect(network, container.id, container.state.sandbox!)
  noteNetwork(parts, container)
  await container.save()
}

function gone({ id, record }: Container, network: string) {
  if (record.endpoints.some(endpoint => endpoint.network === network)) return { name: network, id: network }
  throw new Failure('internal', `container ${id} is not connected to the network ${network}`)
}

/** The network "none" has nobody beside it. Who was made for it and has left it may join others. */
function isOnNone({ record }: Container): boolean {
  return networkKind(record.hostConfig.NetworkMode).kind === 'none' && !record.leftNone
}

/** Its default route and what its ports lead to may have moved with an endpoint. */
function noteNetwork({ networks }: Parts, container: Container): void {
  container.note({ attachments: [...networks.attachments(container.id)], ports: [...networks.ports(container.id)] })
}
