/** A container as Docker's clients see it: inspect and the list item. */
import { join } from 'node:path'
import type { EndpointSettings } from '../../../api/container-body.ts'
import type {
  ContainerInspect,
  ContainerSummary,
  MountPoint as MountReply,
  NetworkSettings,
  ContainerState as StateReply,
} from '../../../api/containers.ts'
import { humanDuration } from '../../../lib/units.ts'
import { endpointSettings, namesOf } from '../../networks/attachment.ts'
import { portList, portMap } from '../../networks/published-port.ts'
import type { Users } from '../../users/user-ranges.ts'
import { networkKind } from '../config/endpoints.ts'
import { liveMembers } from '../config/host-config.ts'
import { checkSecurityOptions } from '../config/security-options.ts'
import type { Container, MountPoint } from '../container.ts'
import { writtenBytes } from '../files/written-bytes.ts'
import { linksTo, shownLinks } from '../linked.ts'
import type { Parts } from '../parts.ts'
import { shownStatus } from '../state.ts'

const never = '0001-01-01T00:00:00Z'

export async function inspect(parts: Parts, container: Container, { size = false } = {}): Promise<ContainerInspect> {
  const { record, id } = container
  const { paths } = parts
  const [path = '', ...args] = [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])]
  const folder = paths.container(filesOf(parts, container))
  const image = parts.images.find(record.imageId)
  const layers = image ? parts.images.layers(image) : []
  const storage = record.root === 'copy' ? 'vfs' : 'overlay2'
  const written = size ? await writtenBytes(parts, container) : 0
  return {
    Id: id,
    Created: record.created,
    Path: path,
    Args: args,
    State: stateReply(container),
    Image: record.imageId,
    ResolvConfPath: join(folder, 'resolv.conf'),
    HostnamePath: join(folder, 'hostname'),
    HostsPath: join(folder, 'hosts'),
    LogPath: ['json-file', 'local'].includes(record.hostConfig.LogConfig.Type) ? paths.containerLog(id) : '',
    Name: `/${record.name}`,
    RestartCount: container.state.restartCount,
    Driver: storage,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: checkSecurityOptions(record.hostConfig.SecurityOpt ?? []).apparmor ?? '',
    ExecIDs: container.execs.size > 0 ? [...container.execs] : null,
    HostConfig: {
      ...record.hostConfig,
      Links: shownLinks(parts, container),
      ...(record.users && { IDMappings: idMappings(record.users) }),
    } as ContainerInspect['HostConfig'],
    GraphDriver: {
      Data:
        storage === 'vfs'
          ? null
          : {
              ID: id,
              LowerDir: layers.toReversed().join(':'),
              UpperDir: paths.containerUpper(id),
              WorkDir: paths.containerWork(id),
            },
      Name: storage,
    },
    ...(size && { SizeRw: written, SizeRootFs: (image?.size ?? 0) + written }),
    Mounts: mountReplies(parts, container),
    Config: record.config as ContainerInspect['Config'],
    NetworkSettings: networkSettings(parts, container),
  }
}

/** As podman shows them; Docker has no word for it. */
function idMappings({ uid, gid, size }: Users): {
  readonly UidMap: readonly string[]
  readonly GidMap: readonly string[]
} {
  return { UidMap: [`0:${uid}:${size}`], GidMap: [`0:${gid}:${size}`] }
}

/** One of the list. */
export async function summary(
  parts: Parts,
  container: Container,
  { size = false, live = false } = {},
): Promise<ContainerSummary> {
  const { record, state } = container
  const exposed = Object.keys(record.config.ExposedPorts ?? {})
  const rw = size ? await writtenBytes(parts, container) : 0
  return {
    Id: container.id,
    Names: [`/${record.name}`, ...linksTo(parts, container).map(({ from, alias }) => `/${from.name}/${alias}`)],
    Image: record.imageRef,
    ImageID: record.imageId,
    Command: commandText([...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])]),
    Created: Math.floor(Date.parse(record.created) / 1000),
    Ports: container.running ? portList(state.ports, exposed) : [],
    ...(size && { SizeRw: rw, SizeRootFs: (parts.images.find(record.imageId)?.size ?? 0) + rw }),
    Labels: record.config.Labels,
    State: shownStatus(state),
    Status: statusText(container),
    HostConfig: {
      ...(live && {
        ...liveMembers(record.hostConfig),
        Links: shownLinks(parts, container),
        IpcMode: record.hostConfig.IpcMode,
        PidMode: record.hostConfig.PidMode,
      }),
      NetworkMode: record.hostConfig.NetworkMode,
      ...(record.hostConfig.Annotations && { Annotations: record.hostConfig.Annotations }),
    },
    NetworkSettings: { Networks: networkMap(parts, container) },
    Mounts: mountReplies(parts, container),
  }
}

function stateReply({ state }: Container): StateReply {
  const Status = shownStatus(state)
  return {
    Status,
    Running: Status === 'running' || Status === 'paused' || Status === 'restarting',
    Paused: Status === 'paused',
    Restarting: Status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: Status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt ?? never,
    FinishedAt: state.finishedAt ?? never,
    ...(state.health && { Health: state.health }),
  }
}

/** "Up 4 seconds (healthy)", "Exited (3) 4 seconds ago", "Created". */
export function statusText({ state }: Pick<Container, 'state'>, now = Date.now()): string {
  const since = (time: string | undefined) => humanDuration(Math.max(0, now - Date.parse(time ?? '')))
  switch (shownStatus(state)) {
    case 'created':
      return 'Created'
    case 'running': {
      const health = state.health && (state.health.Status === 'starting' ? 'health: starting' : state.health.Status)
      return `Up ${since(state.startedAt)}${health ? ` (${health})` : ''}`
    }
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`
    case 'exited':
      return state.finishedAt
        ? `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`
        : `Exited (${state.exitCode})`
    case 'removing':
      return 'Removal In Progress'
    case 'dead':
      return 'Dead'
  }
}

/** The command as one line; words with blanks in quotes. */
export function commandText(args: readonly string[]): string {
  return args.map(arg => (/[\s'"]/.test(arg) || arg === '' ? `'${arg.replaceAll("'", "\\'")}'` : arg)).join(' ')
}

function filesOf(parts: Parts, container: Container): string {
  const mode = container.record.hostConfig.NetworkMode
  if (!mode.startsWith('container:')) return container.id
  return [...parts.all()].find(other => mode.endsWith(other.id))?.id ?? container.id
}

function networkSettings(parts: Parts, container: Container): NetworkSettings {
  const { record, state } = container
  const attachments = container.state.attachments
  const bridge = attachments.find(attachment => attachment.network === 'bridge')
  const settings = bridge && endpointSettings(bridge)
  const exposed = Object.keys(record.config.ExposedPorts ?? {})
  return {
    Bridge: '',
    SandboxID: state.sandbox ? container.id : '',
    SandboxKey: state.sandbox ?? '',
    Ports: container.running ? portMap(state.ports, exposed) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: settings?.EndpointID ?? '',
    Gateway: settings?.Gateway ?? '',
    GlobalIPv6Address: settings?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: settings?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: settings?.IPAddress ?? '',
    IPPrefixLen: settings?.IPPrefixLen ?? 0,
    IPv6Gateway: settings?.IPv6Gateway ?? '',
    MacAddress: settings?.MacAddress ?? '',
    Networks: networkMap(parts, container),
  }
}

/** What it is on, or is to be on at the next start. */
export function networkMap(parts: Parts, container: Container): Record<string, EndpointSettings> {
  const { record, state } = container
  const mode = record.hostConfig.NetworkMode
  const kind = networkKind(mode)
  if (kind.kind === 'none' && record.leftNone) return {}
  if (kind.kind === 'host' || kind.kind === 'none')
    return { [mode]: { ...emptyEndpoint, NetworkID: parts.networks.find(mode)?.id ?? '' } }
  if (kind.kind === 'container') return {}
  const map: Record<string, EndpointSettings> = {}
  const attached = new Map(
    state.attachments.flatMap(attachment => [
      [attachment.network, attachment],
      [attachment.networkId, attachment],
    ]),
  )
  for (const endpoint of record.endpoints) {
    const attachment = attached.get(endpoint.network)
    const network = parts.networks.find(endpoint.network)
    const name = attachment?.network ?? network?.name ?? endpoint.network
    const asked: EndpointSettings = {
      IPAMConfig:
        endpoint.ipv4Address || endpoint.ipv6Address || endpoint.linkLocalIPs.length > 0
          ? {
              ...(endpoint.ipv4Address && { IPv4Address: endpoint.ipv4Address }),
              ...(endpoint.ipv6Address && { IPv6Address: endpoint.ipv6Address }),
              ...(endpoint.linkLocalIPs.length > 0 && { LinkLocalIPs: endpoint.linkLocalIPs }),
            }
          : null,
      Links: endpoint.links.length > 0 ? endpoint.links : null,
      Aliases: endpoint.aliases.length > 0 ? endpoint.aliases : null,
      DriverOpts: Object.keys(endpoint.driverOpts).length > 0 ? endpoint.driverOpts : null,
      GwPriority: endpoint.gwPriority,
    }
    const names = namesOf(
      { id: container.id, name: container.name, hostname: record.config.Hostname },
      endpoint.aliases,
    )
    map[name] = attachment
      ? { ...endpointSettings(attachment), ...asked }
      : {
          ...emptyEndpoint,
          ...asked,
          MacAddress: endpoint.macAddress ?? '',
          NetworkID: network?.id ?? '',
          DNSNames: name === 'bridge' ? null : names,
        }
  }
  return map
}

const emptyEndpoint: EndpointSettings = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: '',
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: '',
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
}

function mountReplies(parts: Parts, container: Container): MountReply[] {
  return container.record.mounts
    .filter(point => !point.cause.startsWith('HostConfig.Tmpfs'))
    .map(point => mountReply(parts, point))
}

function sourceOf({ images, volumes }: Parts, { type, name, image, source }: MountPoint): string {
  if (type === 'volume') return volumes.find(name!)?.mountpoint ?? ''
  const found = type === 'image' ? images.find(image!) : undefined
  return found ? (images.layers(found).at(-1) ?? '') : (source ?? '')
}

function mountReply(parts: Parts, point: MountPoint): MountReply {
  return {
    Type: point.type,
    ...(point.name && { Name: point.name }),
    Source: sourceOf(parts, point),
    Destination: point.target,
    ...(point.driver && { Driver: point.driver }),
    Mode: point.mode,
    RW: !point.readonly,
    Propagation: point.propagation,
  }
}
