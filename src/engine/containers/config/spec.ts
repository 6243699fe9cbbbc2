/** A record, its image and its attachments → the ContainerSpec the runtime compiles; every name has been looked up: pure. */
import { Failure } from '../../../lib/failure.ts'
import type {
  CgroupSpec,
  ContainerSpec,
  HostPath,
  LogFileSpec,
  MountSpec,
  NamespaceChoice,
  NetworkSpec,
  StdioSpec,
  UserNamespace,
} from '../../../runtime/spec.ts'
import type { Injected } from '../cdi/inject.ts'
import type { ContainerRecord } from '../container.ts'
import { sortMounts } from '../files/mounts.ts'
import type { Devices } from './devices.ts'
import { containerEnvironment } from './environment.ts'
import { type HostConfig, limitsOf } from './host-config.ts'
import { processSpec } from './process.ts'
import { checkSecurityOptions } from './security-options.ts'
import type { FoundUser } from './user.ts'

/** What start has looked up. */
export interface Resolved {
  readonly layers: readonly HostPath[]
  readonly mountPoints?: HostPath | undefined
  readonly upper: HostPath
  readonly work: HostPath
  readonly mounts: readonly MountSpec[]
  readonly network: NetworkSpec
  readonly userNamespace: UserNamespace
  /** The highest group that the engine's own user namespace has. */
  readonly lastGroup: number
  readonly user: FoundUser
  readonly devices: Devices
  /** What specifications of devices add. */
  readonly injected: Injected
  /** The process whose namespace a mode joins. */
  readonly joined: (mode: string, what: 'PID' | 'IPC') => Omit<Extract<NamespaceChoice, { kind: 'join' }>, 'kind'>
  /** Variables about the containers it is linked to. */
  readonly links: readonly string[]
  /** Of the container itself, or of the one whose network it shares. */
  readonly hostname: string
  readonly monitor: HostPath
  readonly log: LogFileSpec | undefined
  /** Below each hierarchy's mount. */
  readonly cgroup: string
  readonly attach: StdioSpec['attach']
  /** Host paths to mask beside those of the record: heat sensors of each CPU. */
  readonly masked: readonly string[]
}

export function containerSpec(
  record: Pick<ContainerRecord, 'id' | 'config' | 'hostConfig' | 'root'>,
  resolved: Resolved,
): ContainerSpec {
  const { config, hostConfig } = record
  const ownUts = hostConfig.UTSMode !== 'host'
  return {
    kind: 'container',
    id: record.id,
    root: {
      kind: record.root ?? 'overlay',
      layers: resolved.layers,
      mountPoints: resolved.mountPoints,
      upper: resolved.upper,
      work: resolved.work,
      readonly: hostConfig.ReadonlyRootfs,
    },
    mounts: withInjected(resolved),
    namespaces: {
      pid: choice(hostConfig.PidMode, mode => resolved.joined(mode, 'PID')),
      ipc: choice(hostConfig.IpcMode, mode => resolved.joined(mode, 'IPC')),
      uts: ownUts ? 'new' : 'host',
      cgroup: hostConfig.CgroupnsMode === 'host' ? 'host' : 'new',
      user: resolved.userNamespace,
    },
    network: resolved.network,
    hostname: ownUts ? resolved.hostname : undefined,
    domainname: ownUts && config.Domainname ? config.Domainname : undefined,
    sysctls: sysctls(hostConfig, resolved),
    cgroup: cgroup(resolved.cgroup, hostConfig, resolved),
    devices: [...resolved.devices.nodes, ...resolved.injected.nodes],
    privileged: hostConfig.Privileged,
    writableCgroups: checkSecurityOptions(hostConfig.SecurityOpt ?? []).writableCgroups ?? hostConfig.Privileged,
    maskedPaths: hostConfig.MaskedPaths?.length ? [...hostConfig.MaskedPaths, ...resolved.masked] : [],
    readonlyPaths: hostConfig.ReadonlyPaths ?? [],
    shmSize: hostConfig.IpcMode === 'none' ? undefined : hostConfig.ShmSize,
    init: hostConfig.Init ?? false,
    oomScoreAdj: hostConfig.OomScoreAdj,
    process: processSpec(hostConfig, {
      args: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
      env: containerEnvironment({
        env: [...resolved.links, ...config.Env, ...resolved.injected.env],
        hostname: resolved.hostname,
        terminal: config.Tty,
        home: resolved.user.home,
      }),
      cwd: config.WorkingDir || '/',
      user: {
        ...resolved.user,
        groups: [...new Set([...resolved.user.groups, ...resolved.injected.groups])],
      },
      // as for any other process: a privileged container has every capability anyhow
      privileged: false,
    }),
    stdio: {
      terminal: config.Tty,
      stdin: config.OpenStdin,
      stdinOnce: config.StdinOnce,
      size: hostConfig.ConsoleSize,
      attach: resolved.attach,
    },
    supervise: { directory: resolved.monitor, log: resolved.log },
  }
}

function choice(mode: string, joined: (mode: string) => ReturnType<Resolved['joined']>): NamespaceChoice {
  if (mode === 'host') return { kind: 'host' }
  return mode.startsWith('container:') ? { kind: 'join', ...joined(mode) } : { kind: 'new' }
}

/** Ping without rights and ports below 1024 for everyone, where the namespace is the container's own; the author's over them. */
function sysctls(
  hostConfig: HostConfig,
  { network, userNamespace, ...host }: Pick<Resolved, 'network' | 'userNamespace' | 'lastGroup'>,
): Record<string, string> {
  const own = network.kind !== 'host' && !hostConfig.NetworkMode.startsWith('container:')
  // groups that a user namespace does not have are an error to the kernel
  const lastGroup = userNamespace.kind === 'host' ? Math.min(2_147_483_647, host.lastGroup) : userNamespace.ids.size - 1
  return {
    ...(own && { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': `0 ${lastGroup}` }),
    ...hostConfig.Sysctls,
  }
}

const ipcSysctls = /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\..+)$/

/** @throws Failure `invalid` for a sysctl that would change the host. */
export function checkSysctls(hostConfig: HostConfig): void {
  for (const name of Object.keys(hostConfig.Sysctls ?? {})) {
    const ownNetwork = hostConfig.NetworkMode !== 'host' && !hostConfig.NetworkMode.startsWith('container:')
    const ownIpc = hostConfig.IpcMode !== 'host' && !hostConfig.IpcMode.startsWith('container:')
    const separate = (name.startsWith('net.') && ownNetwork) || (ipcSysctls.test(name) && ownIpc)
    if (!separate) throw new Failure('invalid', `sysctl "${name}" is not in a separate kernel namespace`)
  }
}

function cgroup(
  path: string,
  hostConfig: HostConfig,
  { devices, injected }: Pick<Resolved, 'devices' | 'injected'>,
): CgroupSpec {
  const rules = [...devices.rules, ...injected.rules]
  return { path, ...limitsOf(hostConfig, devices.numberOf), devices: hostConfig.Privileged ? [] : rules }
}

/** Where both want a place, the device's own is meant, as with every engine that reads such specifications. */
function withInjected({ mounts, injected }: Pick<Resolved, 'mounts' | 'injected'>): readonly MountSpec[] {
  if (injected.mounts.length === 0) return mounts
  const taken = new Set(injected.mounts.map(({ target }) => target))
  return sortMounts([...mounts.filter(({ target }) => !taken.has(target)), ...injected.mounts])
}
