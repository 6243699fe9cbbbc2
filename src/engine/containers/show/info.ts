/** What the engine and its host are, as `info` and `version` tell it. */
import { readFile } from 'node:fs/promises'
import { arch, availableParallelism, hostname, release as kernelRelease, totalmem } from 'node:os'
import type { Info, Version } from '../../../api/system.ts'
import { dockerRelease, newestVersion, oldestVersion } from '../../../api/version.ts'
import { release } from '../../../installation/release.ts'
import { program } from '../../../installation/source-places.ts'
import { errnoOf } from '../../../lib/failure.ts'
import { stableHash } from '../../../lib/stable-json.ts'
import type { LimitName } from '../../../runtime/parts/cgroup-limits.ts'
import type { Runtime } from '../../../runtime/runtime.ts'
import type { Paths } from '../../base/paths.ts'
import type { StorageDriver } from '../../base/storage-driver.ts'
import { wallClock, wallTime } from '../../base/wall-clock.ts'
import type { Images } from '../../images/images.ts'
import { logDrivers } from '../../logs/log-options.ts'
import { readRegistry } from '../cdi/registry.ts'
import { defaultRuntime, runtimes } from '../config/runtimes.ts'
import type { Containers } from '../containers.ts'
import { registryConfig } from './registry-config.ts'

/** Go's names, which Docker's clients compare with. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', riscv64: 'riscv64' }
/** The kernel's names. */
const machines: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }

/**
 * Docker's release that clients may take it for, and ours as the build of it: "28.5.2+tscompose.0.1.0", as distributions add theirs. Clients
 * compare it with the release in which something came, and pass over what follows the plus.
 */
const compatibleRelease = `${dockerRelease}+tscompose.${release}`

export function engineVersion(): Version {
  const details = {
    ApiVersion: newestVersion,
    MinAPIVersion: oldestVersion,
    Os: 'linux',
    Arch: architectures[arch()] ?? arch(),
    KernelVersion: kernelRelease(),
  }
  return {
    Platform: { Name: 'tscompose' },
    Components: [
      { Name: 'Engine', Version: release, Details: { ...details, NodeVersion: process.version, Program: program } },
    ],
    Version: compatibleRelease,
    ...details,
    GitCommit: '',
    GoVersion: '',
    BuildTime: '',
  }
}

export interface InfoSources {
  readonly paths: Paths
  readonly containers: Containers
  readonly images: Images
  readonly storage: StorageDriver
  readonly runtime: Runtime
  /** Of containers that name none. */
  readonly logDriver: string
  /** Of containers that name none. */
  readonly usersMode: 'host' | 'auto'
  /** With specifications of devices. */
  readonly deviceFolders: readonly string[]
  /** Whether it runs without root rights. */
  readonly rootless: boolean
  /** What will not work. */
  readonly warnings: readonly string[]
}

export async function engineInfo(sources: InfoSources): Promise<Info> {
  const { paths, containers, images, storage, runtime, logDriver, usersMode, deviceFolders, rootless } = sources
  const [osRelease, machineId, forwarding] = await Promise.all(
    ['/etc/os-release', '/etc/machine-id', '/proc/sys/net/ipv4/ip_forward'].map(textOf),
  )
  const { devices, problems } = await readRegistry(deviceFolders)
  const warnings = [...sources.warnings, ...problems]
  const counts = containers.counts()
  const has = (limit: LimitName) => runtime.cgroups.lacking(limit) === undefined
  const { proxy } = images.registries
  return {
    ID: stableHash([machineId, paths.roots.data]).slice(0, 32),
    Containers: counts.total,
    ContainersRunning: counts.running,
    ContainersPaused: counts.paused,
    ContainersStopped: counts.stopped,
    Images: images.list().length,
    Driver: storage,
    DriverStatus: storage === 'vfs' ? [] : [['Supports d_type', 'true']],
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: [...logDrivers, 'none'],
    },
    MemoryLimit: has('memory'),
    SwapLimit: has('memorySwap'),
    CpuCfsPeriod: has('cpuPeriod'),
    CpuCfsQuota: has('cpuQuota'),
    CPUShares: has('cpuShares'),
    CPUSet: has('cpusetCpus'),
    PidsLimit: has('pids'),
    IPv4Forwarding: forwarding?.trim() === '1',
    Debug: false,
    OomKillDisable: has('oomKillDisable'),
    SystemTime: wallTime(wallClock()),
    LoggingDriver: logDriver,
    // Docker's word for it
    CgroupDriver: runtime.cgroups.none === undefined ? runtime.cgroups.driver : 'none',
    CgroupVersion: String(runtime.cgroups.version),
    KernelVersion: kernelRelease(),
    OperatingSystem: /^PRETTY_NAME="?(.*?)"?$/m.exec(osRelease ?? '')?.[1] ?? 'Linux',
    OSVersion: /^VERSION_ID="?(.*?)"?$/m.exec(osRelease ?? '')?.[1] ?? '',
    OSType: 'linux',
    Architecture: machines[arch()] ?? arch(),
    // Docker's clients look credentials for its hub up under this key.
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registryConfig(images.registries),
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    GenericResources: null,
    DockerRootDir: paths.roots.data,
    HttpProxy: masked(proxy.http),
    HttpsProxy: masked(proxy.https),
    NoProxy: proxy.no ?? '',
    Name: hostname(),
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: compatibleRelease,
    Runtimes: runtimes,
    DefaultRuntime: defaultRuntime,
    Swarm: {
      LocalNodeState: 'inactive',
      NodeID: '',
      NodeAddr: '',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: 'tscompose-init',
    SecurityOptions: [
      'name=seccomp,profile=builtin',
      ...(usersMode === 'auto' ? ['name=userns'] : []),
      ...(rootless ? ['name=rootless'] : []),
      ...(runtime.cgroups.version === 2 ? ['name=cgroupns'] : []),
    ],
    FirewallBackend: { Driver: 'nftables' },
    CDISpecDirs: deviceFolders,
    DiscoveredDevices: devices.size > 0 ? [...devices.keys()].sort().map(ID => ({ Source: 'cdi', ID })) : null,
    Warnings: warnings.length > 0 ? warnings : null,
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
}

/** A proxy's address without the password that may be in it. */
function masked(proxy = ''): string {
  return proxy.replace(/\/\/[^/@]*@/, '//xxxxx:xxxxx@')
}
