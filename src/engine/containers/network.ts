/** A container's network: joined, or its own sandbox with addresses, ports and a name server; and all of it given back. */
import { hostname as hostName } from 'node:os'
import { Failure, isFailure, messageOf } from '../../lib/failure.ts'
import type { HostOperation, NetworkSpec } from '../../runtime/spec.ts'
import { writeRecord } from '../base/store.ts'
import type { Attachment } from '../networks/attachment.ts'
import type { PublishedPort } from '../networks/published-port.ts'
import { networkKind } from './config/endpoints.ts'
import type { Container } from './container.ts'
import { hasNameServer } from './files/host-files.ts'
import { memberOf } from './member.ts'
import { mendNetworks, mendSandbox } from './mend-network.ts'
import { joined, networkHolder, type Parts, sharers } from './parts.ts'

export interface ContainerNetwork {
  readonly spec: NetworkSpec
  /** Kept at this path, when it is the container's own. */
  readonly sandbox: string | undefined
  readonly attachments: readonly Attachment[]
  readonly ports: readonly PublishedPort[]
  readonly hostname: string
  /** Whose folder has the hosts, hostname and resolv.conf to bind. */
  readonly filesOf: string
}

/**
 * Addresses and ports; what `undo` takes back. The sandbox itself is the runtime's. `successorOf`: the id of a container that has ports and
 * names which this one does without until it takes over.
 */
export async function attachNetwork(
  parts: Parts,
  container: Container,
  undo: AsyncDisposableStack,
  successorOf?: string,
): Promise<ContainerNetwork> {
  const { config, hostConfig } = container.record
  const kind = networkKind(hostConfig.NetworkMode)
  const own = { attachments: [], ports: [], hostname: config.Hostname, filesOf: container.id }
  if (kind.kind === 'host')
    return { ...own, spec: { kind: 'host' }, sandbox: undefined, hostname: config.Hostname || hostName() }
  if (kind.kind === 'container') return joinNetwork(parts, container)
  const path = parts.paths.sandbox(container.id)
  await mendKept(parts, container)
  const { state } = container
  // After a restart, or while others live in it, the namespace is still there with all that is in it.
  if (state.sandbox)
    return {
      ...own,
      spec: { kind: 'join', path: state.sandbox },
      sandbox: state.sandbox,
      attachments: state.attachments,
      ports: state.ports,
    }
  if (kind.kind === 'none') return { ...own, spec: { kind: 'create', path, interfaces: [] }, sandbox: path }
  const member = memberOf(container)
  try {
    undo.defer(() => parts.networks.detach(container.id))
    parts.networks.stepBack(container.id, successorOf !== undefined)
    const attachments = await parts.networks.attach(member, container.record.endpoints)
    const exposed = Object.keys(config.ExposedPorts ?? {})
    const waits = successorOf !== undefined && parts.networks.ports(successorOf).length > 0
    const ports =
      member.publishes && !waits
        ? await parts.networks.publish(container.id, hostConfig.PortBindings, {
            exposed,
            all: hostConfig.PublishAllPorts,
          })
        : []
    return { ...own, spec: newSandbox(path, attachments), sandbox: path, attachments, ports }
  } catch (error) {
    throw networkFailure(error)
  }
}

/** Where a name server is to listen, it does before the process is made, so that not even a first look-up goes astray. */
export function newSandbox(path: string, attachments: readonly Attachment[]): NetworkSpec {
  const interfaces = attachments.map(attachment => attachment.interface)
  return { kind: 'create', path, interfaces, yields: hasNameServer(attachments) }
}

/** The sandbox that the last run has left: whole again, or let go with all that was in it. */
async function mendKept(parts: Parts, container: Container): Promise<void> {
  const { sandbox } = container.state
  if (sandbox === undefined) return
  await mendSandbox(parts, container)
  if (parts.runtime.hasSandbox(sandbox)) return mendNetworks(parts, container)
  parts.say(`The network namespace of "${container.name}" is gone from "${sandbox}"; it gets a new one`)
  await endNetwork(parts, container, [])
}

function networkFailure(error: unknown): unknown {
  if (!(error instanceof Failure)) return error
  const { kind, message, hint } = error
  const prefix = 'failed to set up container networking: '
  return new Failure(kind, message.startsWith(prefix) ? message : prefix + message, { cause: error, hint })
}

async function joinNetwork(parts: Parts, container: Container): Promise<ContainerNetwork> {
  const other = await joinedNetwork(parts, container)
  if (!other.running)
    throw new Failure(
      'conflict',
      `cannot join network namespace of a non running container: container ${other.name} is ${other.state.status}`,
    )
  const path = sandboxOf(parts, other)
  return {
    spec: path === undefined ? { kind: 'host' } : { kind: 'join', path },
    sandbox: undefined,
    attachments: [],
    ports: [],
    hostname: other.record.config.Hostname || hostName(),
    filesOf: networkHolder(parts, other).id,
  }
}

/** Whose network it lives in, by id from now on: names pass to others. 500 in Docker's own words. */
async function joinedNetwork(parts: Parts, container: Container): Promise<Container> {
  const { record } = container
  const ref = record.hostConfig.NetworkMode.slice('container:'.length)
  if (ref === container.id || ref === record.name) throw new Failure('internal', 'cannot join own network namespace')
  let other: Container
  try {
    other = parts.get(ref)
  } catch (cause) {
    if (!isFailure(cause, 'not-found')) throw cause
    throw new Failure('internal', `joining network namespace of container: ${cause.message}`, { cause })
  }
  if (ref === other.id) return other
  container.record = { ...record, hostConfig: { ...record.hostConfig, NetworkMode: `container:${other.id}` } }
  const path = parts.paths.containerRecord(container.id)
  await writeRecord(path, container.record)
  parts.syncer.later(path)
  return other
}

/** The sandbox a container lives in; undefined on the host's network. */
export function sandboxOf(parts: Parts, container: Container): string | undefined {
  if (container.state.sandbox) return container.state.sandbox
  const other = joined(parts, container.record.hostConfig.NetworkMode)
  return other && sandboxOf(parts, other)
}

/** What is to be done in a new sandbox that yields. */
export function sandboxTurn(
  parts: Parts,
  container: Container,
  { spec }: ContainerNetwork,
  undo: AsyncDisposableStack,
): (() => Promise<void>) | undefined {
  if (spec.kind !== 'create') return undefined
  const { path } = spec
  // a monitor that is killed takes nothing back
  undo.defer(() => parts.runtime.runHost({ kind: 'host', operations: [{ kind: 'delete-sandbox', path }] }))
  return async () => {
    undo.defer(() => parts.networks.dns.stop(path))
    await serveNames(parts, container, path)
  }
}

/** Starts the name server of a sandbox. */
export async function serveNames(parts: Parts, container: Container, sandbox: string): Promise<void> {
  const { config, hostConfig } = container.record
  const ports = [...Object.keys(config.ExposedPorts ?? {}), ...Object.keys(hostConfig.PortBindings)]
  await parts.networks.dns.serve(sandbox, container.id, {
    servers: hostConfig.Dns,
    ownNameServer: ports.some(port => port.startsWith('53/')),
  })
}

/**
 * Gives the network back, unless others still live in it; then the last of them does. `operations` for the host are run with it,
 * since each run of the host's costs a process.
 */
export async function releaseNetwork(
  parts: Parts,
  container: Container,
  operations: readonly HostOperation[] = [],
): Promise<void> {
  const { sandbox } = container.state
  const release = sandbox !== undefined && sharers(parts, container).length === 0
  if (release) return endNetwork(parts, container, operations)
  if (operations.length > 0) await parts.runtime.runHost({ kind: 'host', operations })
}

/**
 * Gives the network of a container back that is being removed. Who still lives in it keeps the loopback alone, as with Docker: its addresses
 * and ports are nobody's any more, and others will have them.
 */
export async function removeNetwork(parts: Parts, container: Container): Promise<void> {
  const { sandbox, attachments } = container.state
  if (sandbox === undefined) return
  const isShared = sharers(parts, container).length > 0
  const operations = attachments.map(
    each => ({ kind: 'disconnect', path: sandbox, name: each.interface.name }) as const,
  )
  await endNetwork(parts, container, isShared ? operations : [])
}

async function endNetwork(parts: Parts, container: Container, operations: readonly HostOperation[]): Promise<void> {
  const { sandbox } = container.state
  if (sandbox === undefined) return
  parts.networks.dns.stop(sandbox)
  container.note({ sandbox: undefined, attachments: [], ports: [] })
  const all: HostOperation[] = [...operations, { kind: 'delete-sandbox', path: sandbox }]
  const results = await Promise.allSettled([
    parts.networks.detach(container.id),
    parts.runtime.runHost({ kind: 'host', operations: all }),
  ])
  for (const result of results)
    if (result.status === 'rejected')
      throw new Failure('internal', `Cannot release what "${container.name}" held: ${messageOf(result.reason)}`, {
        cause: result.reason,
      })
}

/** After the exit of a container that lived in another's network: that one's is given back when it is the last. */
export async function releaseJoined(parts: Parts, container: Container): Promise<void> {
  const mode = container.record.hostConfig.NetworkMode
  if (!mode.startsWith('container:')) return
  const id = mode.slice('container:'.length)
  const other = [...parts.all()].find(candidate => candidate.id === id)
  if (other && !other.running && other.state.status !== 'starting' && other.state.status !== 'restarting') {
    await releaseNetwork(parts, other)
    await other.save()
  }
}
