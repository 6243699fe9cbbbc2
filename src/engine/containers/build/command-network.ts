/** The network of a build's command: the bridge's, a network by name, the host's or none; with the files of /etc that go with it. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { HostPath, MountSpec, NetworkSpec } from '../../../runtime/spec.ts'
import type { BuildCommand } from '../../build/run-command.ts'
import { hostsText, resolvConfText } from '../../dns/host-files.ts'
import type { Attachment } from '../../networks/attachment.ts'
import { endpointRequest } from '../../networks/endpoint-request.ts'
import { hasNameServer, hostFileNames, nameServers, textOf, writeShared } from '../files/host-files.ts'
import type { Parts } from '../parts.ts'

/** What BuildKit calls the host that a step runs on; the same for each, so that nothing made there depends on it. */
export const hostname = 'buildkitsandbox'

export interface CommandNetwork {
  readonly spec: NetworkSpec
  readonly attachments: readonly Attachment[]
}

/** What `undo` takes back. @throws Failure `not-found` for a network that is not there. */
export async function openNetwork(
  parts: Parts,
  id: string,
  { network }: Pick<BuildCommand, 'network'>,
  undo: AsyncDisposableStack,
): Promise<CommandNetwork> {
  if (network === 'host') return { spec: { kind: 'host' }, attachments: [] }
  const path = parts.paths.sandbox(id)
  undo.defer(() => parts.runtime.runHost({ kind: 'host', operations: [{ kind: 'delete-sandbox', path }] }))
  if (network === 'none') return { spec: { kind: 'create', path, interfaces: [] }, attachments: [] }
  undo.defer(() => parts.networks.detach(id))
  const member = { id, name: `build-${id.slice(0, 12)}`, silent: true }
  const request = endpointRequest(network === 'default' ? 'bridge' : network)
  const attachments = await parts.networks.attach(member, [request])
  const interfaces = attachments.map(attachment => attachment.interface)
  if (!hasNameServer(attachments)) return { spec: { kind: 'create', path, interfaces }, attachments }
  await parts.runtime.runHost({ kind: 'host', operations: [{ kind: 'create-sandbox', path, interfaces }] })
  await parts.networks.dns.serve(path, id, { servers: [], ownNameServer: false })
  undo.defer(() => parts.networks.dns.stop(path))
  return { spec: { kind: 'join', path }, attachments }
}

/** Writes hosts, hostname and resolv.conf, and tells where they are to be mounted. */
export function hostFileMounts(
  folder: HostPath,
  { attachments }: CommandNetwork,
  { hosts, network }: Pick<BuildCommand, 'hosts' | 'network'>,
): MountSpec[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const bare = (address: string | undefined) => (address ? [address.split('/')[0]!] : [])
  const gateways = attachments.flatMap(each => [...bare(each.gateway), ...bare(each.gateway6)])
  const texts = {
    hosts: hostsText({
      hostname,
      addresses: attachments.flatMap(each => [...bare(each.ipv4), ...bare(each.ipv6)]),
      extraHosts: hosts.map(({ host, address }) => `${host}=${address}`),
      hostGateway: network === 'host' ? ['127.0.0.1'] : gateways.slice(0, 2),
      host: network === 'host' ? textOf('/etc/hosts') : undefined,
    }),
    hostname: `${hostname}\n`,
    'resolv.conf': resolvConfText({
      ...nameServers(attachments),
      servers: [],
      search: [],
      options: [],
    }),
  }
  return hostFileNames.map(name => {
    const source = join(folder, name)
    writeShared(source, texts[name])
    return {
      kind: 'bind',
      cause: 'default',
      source,
      target: `/etc/${name}`,
      readonly: true,
      recursive: false,
      propagation: 'rprivate',
      directory: false,
      flags: [],
    }
  })
}
