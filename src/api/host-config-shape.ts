/**
 * What the host gives a container, as clients send it: one row a member. Its types are made of it (`container-body.ts`), and the engine
 * has a row for each member (`engine/containers/config/host-config.ts`): how it is kept, checked and changed.
 */
import { z } from 'zod'
import { command, flag, maybe, number, size, string, stringMap, strings, text } from './json-shape.ts'

const throttle = maybe(z.array(z.object({ Path: string, Rate: z.int().min(0) })))

/** What `update` may name. Zero means: not set. */
export const resources = {
  CpuShares: number,
  Memory: number,
  NanoCpus: number,
  CgroupParent: text,
  BlkioWeight: number,
  BlkioWeightDevice: maybe(z.array(z.object({ Path: string, Weight: z.int() }))),
  BlkioDeviceReadBps: throttle,
  BlkioDeviceWriteBps: throttle,
  BlkioDeviceReadIOps: throttle,
  BlkioDeviceWriteIOps: throttle,
  CpuPeriod: number,
  CpuQuota: number,
  CpuRealtimePeriod: number,
  CpuRealtimeRuntime: number,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: maybe(z.array(z.object({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text }))),
  DeviceCgroupRules: strings,
  DeviceRequests: maybe(
    z.array(
      z.object({
        Driver: text,
        Count: number,
        DeviceIDs: strings,
        Capabilities: maybe(z.array(z.array(string))),
        Options: stringMap,
      }),
    ),
  ),
  KernelMemory: number,
  KernelMemoryTCP: number,
  MemoryReservation: number,
  MemorySwap: number,
  /** -1: not set. */
  MemorySwappiness: number,
  OomKillDisable: flag,
  /** 0 and -1: none. */
  PidsLimit: number,
  Ulimits: maybe(z.array(z.object({ Name: string, Soft: z.int(), Hard: z.int() }))),
  CpuCount: number,
  CpuPercent: number,
  IOMaximumIOps: number,
  IOMaximumBandwidth: number,
}

export const restartPolicy = maybe(
  z.object({
    /** no, always, unless-stopped, on-failure. */
    Name: text,
    MaximumRetryCount: number,
  }),
)

const mount = z.object({
  /** bind, volume, tmpfs, image; npipe and cluster are for other systems. */
  Type: string.default(''),
  Source: text,
  Target: string.default(''),
  ReadOnly: flag,
  Consistency: text,
  BindOptions: maybe(
    z.object({
      /** private, rprivate, shared, rshared, slave, rslave. */
      Propagation: text,
      NonRecursive: flag,
      CreateMountpoint: flag,
      ReadOnlyNonRecursive: flag,
      ReadOnlyForceRecursive: flag,
    }),
  ),
  VolumeOptions: maybe(
    z.object({
      NoCopy: flag,
      Labels: stringMap,
      Subpath: text,
      DriverConfig: maybe(z.object({ Name: text, Options: stringMap })),
    }),
  ),
  ImageOptions: maybe(z.object({ Subpath: text })),
  TmpfsOptions: maybe(z.object({ SizeBytes: number, Mode: number, Options: maybe(z.array(z.array(string))) })),
})

export const hostConfig = {
  /** "source:target[:options]". */
  Binds: strings,
  ContainerIDFile: text,
  LogConfig: maybe(z.object({ Type: text, Config: stringMap })),
  /** default, bridge, host, none, container:X, or a network's name or id. */
  NetworkMode: text,
  /** "80/tcp" → its places on the host; null for a port that is exposed only. HostPort "" and "0": any free one. */
  PortBindings: maybe(z.record(string, z.union([z.array(z.object({ HostIp: text, HostPort: text })), z.null()]))),
  RestartPolicy: restartPolicy,
  AutoRemove: flag,
  VolumeDriver: text,
  VolumesFrom: strings,
  /** Rows, columns. */
  ConsoleSize: size,
  Annotations: stringMap,
  CapAdd: command,
  CapDrop: command,
  CgroupnsMode: text,
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: text,
  Cgroup: text,
  Links: strings,
  OomScoreAdj: number,
  PidMode: text,
  Privileged: flag,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: strings,
  StorageOpt: stringMap,
  /** Path → mount options. */
  Tmpfs: stringMap,
  UTSMode: text,
  UsernsMode: text,
  ShmSize: number,
  Sysctls: stringMap,
  Runtime: text,
  Isolation: text,
  ...resources,
  Mounts: maybe(z.array(mount)),
  /** Undefined: the defaults; []: none. */
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: flag,
}
