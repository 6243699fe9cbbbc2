/** A container's configuration as it is kept and shown: Docker's Config and HostConfig with every default filled in. */
import { z } from 'zod'

const strings = z.array(z.string())
const map = z.record(z.string(), z.string())
const set = z.record(z.string(), z.unknown())

/** Durations in nanoseconds; Test is `["NONE"]`, `["CMD", …]`, `["CMD-SHELL", text]` or empty to inherit. */
export const healthcheckSchema = z.looseObject({
  Test: strings.nullish(),
  Interval: z.number().optional(),
  Timeout: z.number().optional(),
  Retries: z.number().optional(),
  StartPeriod: z.number().optional(),
  StartInterval: z.number().optional(),
})
export type Healthcheck = z.infer<typeof healthcheckSchema>

export const configSchema = z.looseObject({
  Hostname: z.string(),
  Domainname: z.string(),
  User: z.string(),
  AttachStdin: z.boolean(),
  AttachStdout: z.boolean(),
  AttachStderr: z.boolean(),
  ExposedPorts: set.optional(),
  Tty: z.boolean(),
  OpenStdin: z.boolean(),
  StdinOnce: z.boolean(),
  Env: strings,
  Cmd: strings.nullable(),
  Healthcheck: healthcheckSchema.optional(),
  Image: z.string(),
  Volumes: set.nullable(),
  WorkingDir: z.string(),
  Entrypoint: strings.nullable(),
  OnBuild: z.null(),
  Labels: map,
  StopSignal: z.string().optional(),
  StopTimeout: z.number().optional(),
  Shell: strings.optional(),
})
export type Config = z.infer<typeof configSchema>

export const portBindingSchema = z.object({ HostIp: z.string(), HostPort: z.string() })
export type PortBinding = z.infer<typeof portBindingSchema>

/** One of HostConfig.Mounts, as asked. */
export const mountRequestSchema = z.looseObject({
  Type: z.string(),
  Source: z.string().optional(),
  Target: z.string(),
  ReadOnly: z.boolean().optional(),
  Consistency: z.string().optional(),
  BindOptions: z
    .looseObject({
      Propagation: z.string().optional(),
      NonRecursive: z.boolean().optional(),
      CreateMountpoint: z.boolean().optional(),
      ReadOnlyNonRecursive: z.boolean().optional(),
      ReadOnlyForceRecursive: z.boolean().optional(),
    })
    .nullish(),
  VolumeOptions: z
    .looseObject({
      NoCopy: z.boolean().optional(),
      Labels: map.nullish(),
      DriverConfig: z.looseObject({ Name: z.string().optional(), Options: map.nullish() }).nullish(),
      Subpath: z.string().optional(),
    })
    .nullish(),
  TmpfsOptions: z
    .looseObject({
      SizeBytes: z.number().optional(),
      Mode: z.number().optional(),
      Options: z.array(strings).nullish(),
    })
    .nullish(),
  ImageOptions: z.looseObject({ Subpath: z.string().optional() }).nullish(),
})
export type MountRequest = z.infer<typeof mountRequestSchema>

const deviceSchema = z.object({ PathOnHost: z.string(), PathInContainer: z.string(), CgroupPermissions: z.string() })

export const hostConfigSchema = z.looseObject({
  Binds: strings.nullable(),
  ContainerIDFile: z.string(),
  LogConfig: z.object({ Type: z.string(), Config: map }),
  NetworkMode: z.string(),
  PortBindings: z.record(z.string(), z.array(portBindingSchema)),
  RestartPolicy: z.object({ Name: z.string(), MaximumRetryCount: z.number() }),
  AutoRemove: z.boolean(),
  VolumeDriver: z.string(),
  VolumesFrom: strings.nullable(),
  ConsoleSize: z.tuple([z.number(), z.number()]),
  Annotations: map.optional(),
  CapAdd: strings.nullable(),
  CapDrop: strings.nullable(),
  CgroupnsMode: z.string(),
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings.nullable(),
  GroupAdd: strings.nullable(),
  IpcMode: z.string(),
  Cgroup: z.string(),
  Links: strings.nullable(),
  OomScoreAdj: z.number(),
  PidMode: z.string(),
  Privileged: z.boolean(),
  PublishAllPorts: z.boolean(),
  ReadonlyRootfs: z.boolean(),
  SecurityOpt: strings.nullable(),
  Tmpfs: map.optional(),
  UTSMode: z.string(),
  UsernsMode: z.string(),
  ShmSize: z.number(),
  Sysctls: map.optional(),
  Runtime: z.string(),
  Isolation: z.string(),
  CpuShares: z.number(),
  Memory: z.number(),
  NanoCpus: z.number(),
  CgroupParent: z.string(),
  BlkioWeight: z.number(),
  CpuPeriod: z.number(),
  CpuQuota: z.number(),
  CpusetCpus: z.string(),
  CpusetMems: z.string(),
  Devices: z.array(deviceSchema),
  DeviceCgroupRules: strings.nullable(),
  MemoryReservation: z.number(),
  MemorySwap: z.number(),
  MemorySwappiness: z.number().nullable(),
  OomKillDisable: z.boolean(),
  PidsLimit: z.number().nullable(),
  Ulimits: z.array(z.object({ Name: z.string(), Hard: z.number(), Soft: z.number() })),
  Mounts: z.array(mountRequestSchema).optional(),
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: z.boolean().optional(),
})
export type HostConfig = z.infer<typeof hostConfigSchema>
