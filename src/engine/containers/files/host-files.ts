/** Writes a container's hosts, hostname and resolv.conf into its folder, from where they are bound over /etc. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../../lib/failure.ts'
import { spaceFailure } from '../../base/space.ts'
import { asksResolved, hostsText, movedHost, resolvConfText } from '../../dns/host-files.ts'
import type { Attachment } from '../../networks/attachment.ts'
import { type LinkedContainer, linkHost } from '../config/links.ts'
import type { Container } from '../container.ts'

export const hostFileNames = ['hosts', 'hostname', 'resolv.conf'] as const

/** The default bridge has no name server of ours, as with Docker. */
export function hasNameServer(attachments: readonly Attachment[]): boolean {
  return attachments.some(attachment => attachment.network !== 'bridge')
}

/** Whom a container with these attachments asks for names, where it says nothing itself. */
export function nameServers(attachments: readonly Attachment[]) {
  const internal = hasNameServer(attachments)
  const bridge = internal ? undefined : attachments[0] && { ipv6: attachments[0].ipv6 !== undefined }
  const host = textOf('/etc/resolv.conf')
  const behind = bridge && asksResolved(host) ? textOf('/run/systemd/resolve/resolv.conf') : ''
  return { internal, bridge, host: behind || host }
}

/** At once and not by promises: fourteen short calls, each of which would wake a thread. */
export function writeHostFiles(
  container: Container,
  options: {
    readonly folder: string
    readonly attachments: readonly Attachment[]
    readonly hostname: string
    readonly links: readonly LinkedContainer[]
  },
): void {
  const { config, hostConfig } = container.record
  const { attachments, hostname, folder, links } = options
  const hostNetwork = hostConfig.NetworkMode === 'host'
  const bare = (address: string | undefined) => (address ? [address.split('/')[0]!] : [])
  const gateways = attachments.flatMap(attachment => [...bare(attachment.gateway), ...bare(attachment.gateway6)])
  const texts = {
    hosts: hostsText({
      hostname,
      domainname: config.Domainname || undefined,
      addresses: attachments.flatMap(attachment => [...bare(attachment.ipv4), ...bare(attachment.ipv6)]),
      extraHosts: hostConfig.ExtraHosts ?? [],
      links: links.map(linkHost),
      hostGateway: hostNetwork ? ['127.0.0.1'] : gateways.slice(0, 2),
      host: hostNetwork ? textOf('/etc/hosts') : undefined,
    }),
    hostname: `${hostname}\n`,
    'resolv.conf': resolvConfText({
      ...nameServers(attachments),
      servers: hostConfig.Dns,
      search: hostConfig.DnsSearch,
      options: hostConfig.DnsOptions,
    }),
  }
  for (const name of hostFileNames) writeShared(join(folder, name), texts[name])
}

/** In the file of a container that runs: the line with all these names at another address, or gone. */
export function moveHost(folder: string, names: readonly string[], address: string | undefined): void {
  const path = join(folder, 'hosts')
  writeShared(path, movedHost(readFileSync(path, 'utf8'), names, address))
}

/** Readable inside by any user, whatever the engine's umask; the folder above is closed on the host. */
export function writeShared(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw spaceFailure(error, path)
  }
  chmodSync(path, 0o644)
}

/** Empty when there is none. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
}
