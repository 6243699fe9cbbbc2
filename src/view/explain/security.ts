/** What a container may do, row by row, and how that differs from a container of which nothing was said. */
import type { ContainerInspect } from '../../api/containers.ts'
import { bareCapability } from '../../lib/capabilities.ts'
import { formatBytes } from '../../lib/units.ts'

type HostConfig = ContainerInspect['HostConfig']

export interface Right {
  readonly topic: string
  readonly now: string
  /** What it would be when nothing were said; undefined where it is just that. */
  readonly usual: string | undefined
  /** API fields that decide it: what the stack says of them is why. */
  readonly fields: readonly string[]
}

export interface Rights {
  readonly container: ContainerInspect
  /** Bare names: what this one has, and one of which nothing was said. */
  readonly capabilities: { readonly has: ReadonlySet<string>; readonly usual: ReadonlySet<string> }
}

export function rightsOf({ container, capabilities }: Rights): readonly Right[] {
  const host: HostConfig = container.HostConfig
  const options = host.SecurityOpt ?? []
  const option = (name: string) =>
    options.find(each => each.startsWith(`${name}=`) || each.startsWith(`${name}:`))?.slice(name.length + 1)
  const privileged = host.Privileged === true
  const isUnprivileged = options.some(each => /^no-new-privileges(?:[:=]true)?$/.test(each))
  const user = container.Config.User || ''
  return [
    right('user', user === '' ? 'root' : user, 'what the image says, or root', { same: user === '', fields: ['User'] }),
    right('privileged', privileged ? 'yes: all capabilities and devices, nothing hidden' : 'no', 'no', {
      same: !privileged,
      fields: ['HostConfig.Privileged'],
    }),
    privileged
      ? right('capabilities', 'ALL', `${capabilities.usual.size} of them`, {
          same: false,
          fields: ['HostConfig.Privileged'],
        })
      : capabilityRight(capabilities),
    right(
      'new privileges',
      isUnprivileged ? 'no: setuid programs run without' : 'setuid programs may give more',
      'setuid programs may give more',
      {
        same: !isUnprivileged,
        fields: ['HostConfig.SecurityOpt'],
      },
    ),
    right('system calls', seccompText(privileged ? 'unconfined' : option('seccomp')), 'the filter of the engine', {
      same: !privileged && option('seccomp') === undefined,
      fields: privileged ? ['HostConfig.Privileged'] : ['HostConfig.SecurityOpt'],
    }),
    ...namespaces(host),
    right('devices', listed(devicesOf(host, privileged)), 'null, zero, full, random, urandom, tty, ptmx', {
      same: devicesOf(host, privileged).length === 0,
      fields: [
        'HostConfig.Devices',
        'HostConfig.DeviceCgroupRules',
        'HostConfig.DeviceRequests',
        'HostConfig.Privileged',
      ],
    }),
    right('kernel files', hiddenText(host, privileged), 'some hidden, some read-only', {
      same: !privileged && (host.MaskedPaths === undefined || host.MaskedPaths === null || host.MaskedPaths.length > 0),
      fields: privileged ? ['HostConfig.Privileged'] : ['HostConfig.SecurityOpt'],
    }),
    right('writes to', writable(container), 'its root', {
      same: host.ReadonlyRootfs !== true && !mountsOf(container).some(({ RW }) => RW) && tmpfsOf(host).length === 0,
      fields: ['HostConfig.ReadonlyRootfs', 'HostConfig.Mounts', 'HostConfig.Binds', 'HostConfig.Tmpfs'],
    }),
    right(
      'reads',
      listed(
        mountsOf(container)
          .filter(({ RW }) => !RW)
          .map(mountText),
      ),
      'nothing of the host',
      {
        same: mountsOf(container).every(({ RW }) => RW),
        fields: ['HostConfig.Mounts', 'HostConfig.Binds'],
      },
    ),
    right('reached at', listed(published(container)), 'nothing published', {
      same: published(container).length === 0,
      fields: ['HostConfig.PortBindings'],
    }),
    right('memory', host.Memory ? `${formatBytes(host.Memory)} at most` : 'not limited', 'not limited', {
      same: !host.Memory,
      fields: ['HostConfig.Memory'],
    }),
    right('processes', (host.PidsLimit ?? 0) > 0 ? `${host.PidsLimit} at most` : 'not limited', 'not limited', {
      same: (host.PidsLimit ?? 0) <= 0,
      fields: ['HostConfig.PidsLimit'],
    }),
  ]
}

function right(
  topic: string,
  now: string,
  usual: string,
  { same, fields }: { readonly same: boolean; readonly fields: readonly string[] },
): Right {
  return { topic, now, usual: same ? undefined : usual, fields }
}

function listed(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(', ')
}

function capabilityRight({ has, usual }: Rights['capabilities']): Right {
  const more = [...has].filter(name => !usual.has(name)).map(bareCapability)
  const less = [...usual].filter(name => !has.has(name))
  const names = [...has].sort().join(', ')
  const differs = [
    ...(more.length > 0 ? [`${more.sort().join(', ')} more`] : []),
    ...(less.length > 0
      ? [less.length === usual.size ? 'all of the usual less' : `${less.sort().join(', ')} less`]
      : []),
  ]
  return {
    topic: 'capabilities',
    now: names === '' ? 'none' : names,
    usual: differs.length === 0 ? undefined : `${usual.size} of them: this has ${differs.join(', and ')}`,
    fields: ['HostConfig.CapAdd', 'HostConfig.CapDrop'],
  }
}

function seccompText(option: string | undefined): string {
  if (option === undefined || option === 'builtin') return 'the filter of the engine'
  return option === 'unconfined' ? 'not filtered' : 'a filter of the stack'
}

/** What it shares with the host or with another container. */
function namespaces(host: HostConfig): readonly Right[] {
  const rows = [
    ['network', 'NetworkMode', host.NetworkMode],
    ['process ids', 'PidMode', host.PidMode],
    ['IPC', 'IpcMode', host.IpcMode],
    ['host name', 'UTSMode', host.UTSMode],
    ['control groups', 'CgroupnsMode', host.CgroupnsMode],
    ['users', 'UsernsMode', host.UsernsMode],
  ] as const
  return rows.map(([topic, field, mode = '']) => {
    const users = topic === 'users'
    // the usual one has the users of the host, and all else of its own
    const own = users ? 'those of the host' : 'its own'
    const now = modeText(mode ?? '', { users, own })
    return right(topic, now, own, { same: now === own, fields: [`HostConfig.${field}`] })
  })
}

function modeText(mode: string, { users, own }: { readonly users: boolean; readonly own: string }): string {
  if (mode === 'host') return 'those of the host' === own ? own : "the host's"
  if (mode.startsWith('container:')) return `that of container ${mode.slice('container:'.length).slice(0, 12)}`
  if (users) return mode === '' ? own : 'its own'
  return mode === 'none' && !users ? 'none' : own
}

function devicesOf(host: HostConfig, privileged: boolean): readonly string[] {
  if (privileged) return ['all of the host']
  return [
    ...(host.Devices ?? []).map(({ PathOnHost, PathInContainer, CgroupPermissions }) =>
      `${PathInContainer || PathOnHost}${PathInContainer && PathInContainer !== PathOnHost ? ` (${PathOnHost} of the host)` : ''} ${CgroupPermissions ?? ''}`.trimEnd(),
    ),
    ...(host.DeviceCgroupRules ?? []),
    ...(host.DeviceRequests ?? []).map(({ Driver, Count, DeviceIDs }) =>
      `${Driver || 'devices'} ${DeviceIDs?.join(' ') ?? (Count === -1 ? 'all' : (Count ?? ''))}`.trimEnd(),
    ),
  ]
}

function hiddenText(host: HostConfig, privileged: boolean): string {
  if (privileged || host.MaskedPaths?.length === 0) return 'none hidden'
  return 'some hidden, some read-only'
}

type MountPoint = ContainerInspect['Mounts'][number]

function mountsOf({ Mounts }: ContainerInspect): readonly MountPoint[] {
  return [...(Mounts ?? [])].sort((a, b) => (a.Destination < b.Destination ? -1 : 1))
}

function mountText({ Type, Name, Source, Destination }: MountPoint): string {
  if (Type === 'tmpfs') return `${Destination} (memory)`
  return `${Destination} (${Type === 'volume' ? `volume ${Name}` : Type === 'bind' ? `${Source} of the host` : Type})`
}

function tmpfsOf(host: HostConfig): readonly string[] {
  return Object.keys(host.Tmpfs ?? {})
}

function writable(container: ContainerInspect): string {
  const host = container.HostConfig
  return listed([
    ...(host.ReadonlyRootfs ? [] : ['its root']),
    ...new Set([
      ...tmpfsOf(host).map(path => `${path} (memory)`),
      ...mountsOf(container)
        .filter(({ RW }) => RW)
        .map(mountText),
    ]),
  ])
}

/** "127.0.0.1:8080 → 80/tcp (this machine alone)". */
function published({ NetworkSettings, HostConfig: host }: ContainerInspect): readonly string[] {
  const bindings = Object.entries(NetworkSettings.Ports ?? host.PortBindings ?? {})
  return bindings.flatMap(([port, places]) =>
    (places ?? []).map(({ HostIp, HostPort }) => {
      const address = HostIp || '0.0.0.0'
      const alone = address.startsWith('127.') || address === '::1'
      const shown = address.includes(':') ? `[${address}]` : address
      return `${shown}:${HostPort} → ${port} (${alone ? 'this machine alone' : 'everybody who reaches this machine'})`
    }),
  )
}
