/** What clients of an older API version are answered, and what they may not ask for yet. */
import type { ContainerCreate, ContainerUpdate } from '../../api/container-body.ts'
import type { ContainerInspect, ContainerSummary } from '../../api/containers.ts'
import type { ImageInspect, ImageSummary } from '../../api/images.ts'
import type { Info } from '../../api/system.ts'
import { compareVersions } from '../../api/version.ts'
import { Failure } from '../../lib/failure.ts'
import type { Image } from '../images/image.ts'

function isBefore(version: string, since: string): boolean {
  return compareVersions(version, since) < 0
}

/** Below 1.45 the short id and the hostname, now among DNSNames only, are aliases too. */
export function olderInspect(inspect: ContainerInspect, version: string): ContainerInspect {
  if (!isBefore(version, '1.45')) return inspect
  const implied = [inspect.Id.slice(0, 12), ...(inspect.Config.Hostname ? [inspect.Config.Hostname] : [])]
  const networks = Object.entries(inspect.NetworkSettings.Networks ?? {}).map(([name, settings]) => {
    // the predefined networks know no aliases
    if (!settings.DNSNames?.length) return [name, settings]
    return [name, { ...settings, Aliases: [...new Set([...(settings.Aliases ?? []), ...implied])] }]
  })
  return { ...inspect, NetworkSettings: { ...inspect.NetworkSettings, Networks: Object.fromEntries(networks) } }
}

/** Annotations are listed from 1.46 on. */
export function olderSummary(summary: ContainerSummary, version: string): ContainerSummary {
  if (!isBefore(version, '1.46')) return summary
  const { Annotations: _, ...HostConfig } = summary.HostConfig
  return { ...summary, HostConfig }
}

/** Members that were of containers, never of images. */
const ofContainers = {
  ...{ AttachStderr: false, AttachStdin: false, AttachStdout: false, Domainname: '', Hostname: '', Image: '' },
  ...{ OpenStdin: false, StdinOnce: false, Tty: false },
}

/** Below 1.45 the container that it was committed from, which docker-compose 1 reads of any image; below 1.44 its size twice. */
export function olderImage(
  inspect: ImageInspect,
  { committed }: Pick<Image, 'committed'>,
  version: string,
): ImageInspect {
  if (!isBefore(version, '1.50')) return inspect
  const Config = { ...ofContainers, ...inspect.Config }
  if (!isBefore(version, '1.45')) return { ...inspect, Config }
  const ContainerConfig = { ...Config, ...(committed?.config as typeof Config | undefined) }
  const whence = { ...(committed && { Container: committed.container }), ContainerConfig }
  return { ...inspect, Config, ...whence, ...(isBefore(version, '1.44') && { VirtualSize: inspect.Size }) }
}

/** How many containers use it is told from 1.51 on; below 1.43 what has no name has one in angle brackets. */
export function olderImageSummary(summary: ImageSummary, version: string): ImageSummary {
  if (!isBefore(version, '1.51')) return summary
  const nameless = !summary.RepoTags?.length && !summary.RepoDigests?.length && isBefore(version, '1.43')
  return {
    ...summary,
    Containers: -1,
    ...(isBefore(version, '1.44') && { VirtualSize: summary.Size }),
    ...(nameless && { RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] }),
  }
}

/** Up to 1.49 two members that say nothing any more; who filters packets is told from 1.49 on. */
export function olderInfo(info: Info, version: string): Info {
  if (!isBefore(version, '1.50')) return info
  const { FirewallBackend: _, ...rest } = info
  return { ...(isBefore(version, '1.49') ? rest : info), BridgeNfIptables: false, BridgeNfIp6tables: false }
}

/**
 * Several networks at creation came with 1.44. Below 1.40 there was no limit of processes, and whose memory is shared was open to others
 * unless somebody closed it.
 * @throws Failure `invalid` with Docker's text.
 */
export function olderCreate(body: ContainerCreate, version: string): ContainerCreate {
  const names = Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {})
  if (names.length > 1 && isBefore(version, '1.44'))
    throw new Failure(
      'invalid',
      `Container cannot be created with multiple network endpoints: ${names.sort().join(', ')}`,
    )
  if (!isBefore(version, '1.40')) return body
  const { PidsLimit: _, ...HostConfig } = body.HostConfig ?? {}
  return { ...body, HostConfig: { ...HostConfig, IpcMode: HostConfig.IpcMode || 'shareable' } }
}

/** A limit of processes is changed from 1.40 on. */
export function olderUpdate(body: ContainerUpdate, version: string): ContainerUpdate {
  if (!isBefore(version, '1.40')) return body
  const { PidsLimit: _, ...rest } = body
  return rest
}
