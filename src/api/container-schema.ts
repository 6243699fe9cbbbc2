/** Request bodies of containers, checked; only the server loads this, since zod takes its time to load. */
import { z } from 'zod'
import type {
  ContainerConfig,
  ContainerCreate,
  ContainerUpdate,
  EndpointSettings,
  HealthConfig,
} from './container-body.ts'
import { hostConfig, resources, restartPolicy } from './host-config-shape.ts'
import { command, flag, maybe, number, string, stringMap, strings, text } from './json-shape.ts'

const keySet = maybe(
  z.record(
    string,
    z.unknown().transform(() => ({})),
  ),
)

const health = z.object({
  Test: strings,
  Interval: number,
  Timeout: number,
  StartPeriod: number,
  StartInterval: number,
  Retries: number,
}) satisfies z.ZodType<HealthConfig>

const config = {
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ExposedPorts: keySet,
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Env: strings,
  Cmd: command,
  Healthcheck: maybe(health),
  Image: text,
  Volumes: keySet,
  WorkingDir: text,
  Entrypoint: command,
  NetworkDisabled: flag,
  MacAddress: text,
  OnBuild: strings,
  Labels: stringMap,
  StopSignal: text,
  StopTimeout: number,
  Shell: command,
}

/** The configuration alone, as `commit` takes it. */
export const containerConfig = z.object(config) satisfies z.ZodType<ContainerConfig>

export const endpointSettings = z.object({
  IPAMConfig: maybe(z.object({ IPv4Address: text, IPv6Address: text, LinkLocalIPs: strings })),
  Links: strings,
  Aliases: strings,
  MacAddress: text,
  DriverOpts: stringMap,
  GwPriority: number,
  NetworkID: text,
  EndpointID: text,
  Gateway: text,
  IPAddress: text,
  IPPrefixLen: number,
  IPv6Gateway: text,
  GlobalIPv6Address: text,
  GlobalIPv6PrefixLen: number,
  DNSNames: strings,
}) satisfies z.ZodType<EndpointSettings>

export const containerCreate = z.object({
  ...config,
  HostConfig: maybe(z.object(hostConfig)),
  NetworkingConfig: maybe(
    z.object({ EndpointsConfig: maybe(z.record(string, z.union([endpointSettings, z.null()]))) }),
  ),
}) satisfies z.ZodType<ContainerCreate>

export const containerUpdate = z.object({
  ...resources,
  RestartPolicy: restartPolicy,
}) satisfies z.ZodType<ContainerUpdate>
