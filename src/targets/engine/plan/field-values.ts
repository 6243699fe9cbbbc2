/** What a container was made with, field by field, in the notation of a stack file: the same for what runs and for what is wanted. */
import { annotations } from '../../../api/annotations.ts'
import type { Mount, PortBindings } from '../../../api/container-body.ts'
import { formatDuration } from '../../../lib/units.ts'
import { limitText } from './limit-texts.ts'
import type { Made } from './made.ts'

/** One value, the entries of a list (in any order), or undefined: not set, or not to be seen there. */
export type FieldValue = string | readonly string[] | undefined

/** `key`: what stands behind the field's first word: "TAG" of "environment.TAG". */
type Row = (made: Made, key: string) => FieldValue

/** @returns undefined for a field that no container shows. */
export function fieldValue(made: Made, field: string): FieldValue {
  const limit = limitText(made.host, field)
  if (limit !== undefined) return limit
  const [name, key] = divided(field)
  const row = Object.hasOwn(rows, name) ? rows[name] : undefined
  return row?.(made, key)
}

/** "environment.A.B" → "environment" and "A.B". */
export function divided(field: string): readonly [name: string, key: string] {
  const dot = field.indexOf('.')
  return dot < 0 ? [field, ''] : [field.slice(0, dot), field.slice(dot + 1)]
}

const rows: Readonly<Record<string, Row>> = {
  image: ({ config }) => given(config.Image),
  command: ({ config }) => words(config.Cmd),
  entrypoint: ({ config }) => words(config.Entrypoint),
  environment: ({ config }, key) => variable(config.Env ?? [], key),
  working_dir: ({ config }) => given(config.WorkingDir),
  user: ({ config }) => given(config.User),
  hostname: ({ config }) => given(config.Hostname),
  domainname: ({ config }) => given(config.Domainname),
  tty: ({ config }) => flag(config.Tty),
  stdin_open: ({ config }) => flag(config.OpenStdin),
  stop_signal: ({ config }) => given(config.StopSignal),
  stop_grace_period: ({ config }) => (config.StopTimeout == null ? undefined : `${config.StopTimeout}s`),
  labels: ({ config }, key) => entry(config.Labels, key),
  container_name: ({ name }) => given(name),
  healthcheck: ({ config }, key) => health(config.Healthcheck, key),
  // what is published is exposed as well, and told of as that
  expose: ({ config, host }) =>
    Object.keys(config.ExposedPorts ?? {}).filter(port => !Object.hasOwn(host.PortBindings ?? {}, port)),
  annotations: ({ host }, key) => entry(host.Annotations, key),
  deploy: ({ host }, key) => {
    const annotation = {
      'restart_policy.delay': annotations.restartDelay,
      'restart_policy.window': annotations.restartWindow,
      'restart_policy.max_attempts': annotations.restartAttempts,
    }[key]
    return annotation && entry(host.Annotations, annotation)
  },
  group_add: ({ host }) => host.GroupAdd ?? [],
  init: ({ host }) => (host.Init == null ? undefined : String(host.Init)),
  ports: ({ host }) =>
    Object.entries((host.PortBindings ?? {}) as PortBindings).flatMap(([target, bindings]) =>
      (bindings ?? []).map(({ HostIp, HostPort }) => {
        const from = [HostIp?.includes(':') ? `[${HostIp}]` : HostIp, HostPort].filter(part => part).join(':')
        return [from, target.replace(/\/tcp$/, '')].filter(part => part !== '').join(':')
      }),
    ),
  links: ({ host, endpoints }) => [
    ...new Set([...(host.Links ?? []), ...Object.values(endpoints).flatMap(endpoint => endpoint?.Links ?? [])]),
  ],
  extra_hosts: ({ host }) => host.ExtraHosts ?? [],
  dns: ({ host }) => host.Dns ?? [],
  dns_search: ({ host }) => host.DnsSearch ?? [],
  dns_opt: ({ host }) => host.DnsOptions ?? [],
  volumes: ({ host }, target) => mountAt(host, target),
  volumes_from: ({ host }) => host.VolumesFrom ?? [],
  read_only: ({ host }) => flag(host.ReadonlyRootfs),
  storage_opt: ({ host }) => pairs(host.StorageOpt),
  privileged: ({ host }) => flag(host.Privileged),
  cap_add: ({ host }) => capabilities(host.CapAdd),
  cap_drop: ({ host }) => capabilities(host.CapDrop),
  security_opt: ({ host }) => host.SecurityOpt ?? [],
  sysctls: ({ host }, key) => entry(host.Sysctls, key),
  ulimits: ({ host }, key) => {
    const found = host.Ulimits?.find(({ Name }) => Name === key)
    if (!found) return undefined
    return found.Soft === found.Hard ? String(found.Soft) : `${found.Soft}:${found.Hard}`
  },
  devices: ({ host }) => [
    ...(host.Devices ?? []).map(({ PathOnHost, PathInContainer, CgroupPermissions }) =>
      [PathOnHost, PathInContainer, CgroupPermissions].join(':'),
    ),
    ...(host.DeviceRequests ?? []).flatMap(({ Driver, DeviceIDs }) => (Driver === 'cdi' ? (DeviceIDs ?? []) : [])),
  ],
  device_cgroup_rules: ({ host }) => host.DeviceCgroupRules ?? [],
  gpus: ({ host }) =>
    (host.DeviceRequests ?? []).filter(({ Driver }) => Driver !== 'cdi').map(request => JSON.stringify(request)),
  network_mode: ({ host }) => mode(host.NetworkMode),
  ipc: ({ host }) => mode(host.IpcMode),
  pid: ({ host }) => mode(host.PidMode),
  uts: ({ host }) => mode(host.UTSMode),
  userns_mode: ({ host }) => mode(host.UsernsMode),
  cgroup: ({ host }) => given(host.CgroupnsMode),
  cgroup_parent: ({ host }) => given(host.CgroupParent),
  runtime: ({ host }) => given(host.Runtime),
  isolation: ({ host }) => given(host.Isolation),
  restart: ({ host }) => {
    const { Name, MaximumRetryCount } = host.RestartPolicy ?? {}
    if (!Name || Name === 'no') return undefined
    return MaximumRetryCount ? `${Name}:${MaximumRetryCount}` : Name
  },
  logging: ({ host }) => [...(host.LogConfig?.Type ? [host.LogConfig.Type] : []), ...pairs(host.LogConfig?.Config)],
}

function given(text: string | null | undefined): string | undefined {
  return text === '' || text == null ? undefined : text
}

function flag(value: boolean | null | undefined): string | undefined {
  return value ? 'true' : undefined
}

/** As a shell would have them; none at all as "[]", which is not one that is empty. */
function words(list: readonly string[] | null | undefined): string | undefined {
  if (list?.length === 0) return '[]'
  return list?.map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ')
}

/** What is only named is taken out of what the image says. */
function variable(list: readonly string[], key: string): string | undefined {
  return list.find(each => each.startsWith(`${key}=`))?.slice(key.length + 1)
}

function entry(record: Readonly<Record<string, string>> | null | undefined, key: string): string | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined
}

function pairs(record: Readonly<Record<string, string>> | null | undefined): readonly string[] {
  return Object.entries(record ?? {}).map(([key, value]) => `${key}=${value}`)
}

/** Engines show them with the prefix that files leave out. */
function capabilities(list: readonly string[] | null | undefined): readonly string[] {
  return (list ?? []).map(each => each.replace(/^CAP_/, ''))
}

function mode(text: string | null | undefined): string | undefined {
  return given(text)?.replace(/^(container:[0-9a-f]{12})[0-9a-f]{52}$/, '$1')
}

function health(check: Made['config']['Healthcheck'], key: string): string | undefined {
  if (!check) return undefined
  const time = (value: number | undefined) => (value ? formatDuration(value) : undefined)
  switch (key) {
    case 'test':
      return words(check.Test)
    case 'disable':
      return check.Test?.[0] === 'NONE' ? 'true' : undefined
    case 'interval':
      return time(check.Interval)
    case 'timeout':
      return time(check.Timeout)
    case 'start_period':
      return time(check.StartPeriod)
    case 'start_interval':
      return time(check.StartInterval)
    case 'retries':
      return check.Retries ? String(check.Retries) : undefined
    default:
      return undefined
  }
}

/** "shop_data", "/srv/www (ro)", "tmpfs". */
function mountAt(host: Made['host'], target: string): string | undefined {
  const mount = host.Mounts?.find(each => each.Target === target)
  if (mount) return mountText(mount)
  const bind = host.Binds?.map(each => each.split(':')).find(parts => parts[1] === target)
  if (bind) return bind[2] ? `${bind[0]} (${bind[2]})` : bind[0]
  const options = entry(host.Tmpfs, target)
  return options === undefined ? undefined : ['tmpfs', options].filter(part => part !== '').join(' ')
}

function mountText({ Type, Source, ReadOnly, TmpfsOptions, VolumeOptions, ImageOptions }: Mount): string {
  const below = VolumeOptions?.Subpath ?? ImageOptions?.Subpath
  const source = Source ? (below ? `${Source}/${below}` : Source) : Type === 'volume' ? 'anonymous volume' : Type
  const size = TmpfsOptions?.SizeBytes ? ` ${limitText({ ShmSize: TmpfsOptions.SizeBytes }, 'shm_size')}` : ''
  return `${source}${size}${ReadOnly ? ' (ro)' : ''}`
}
