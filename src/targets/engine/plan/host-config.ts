/** The HostConfig of a service: mounts, limits, ports, namespaces, privileges. */
import { resolve } from 'node:path'
import { annotations } from '../../../api/annotations.ts'
import type {
  DeviceRequest as ApiDeviceRequest,
  Mount as ApiMount,
  HostConfig,
  PortBinding,
} from '../../../api/container-body.ts'
import { parseDeviceName } from '../../../api/device-names.ts'
import { formatDuration } from '../../../lib/units.ts'
import { limitNames, limitRow } from '../../../model/limits.ts'
import type { Mount } from '../../../model/mount.ts'
import type { Project } from '../../../model/project.ts'
import type { DeviceRequest, NamespaceMode, Service } from '../../../model/service.ts'
import { BodyParts, type Origins } from './body-parts.ts'
import type { FileObjects } from './file-objects.ts'
import { limitMember } from './limit-members.ts'

export interface HostConfigInput {
  readonly project: Project
  readonly service: Service
  readonly files: FileObjects
  /** Target → name of the volume a replaced container had there. */
  readonly inherited: ReadonlyMap<string, string>
}

export interface HostConfigParts {
  readonly host: HostConfig
  readonly origins: Origins
  /** Member → the service whose container it names: set when that container is known. */
  readonly services: Readonly<Partial<Record<'NetworkMode' | 'IpcMode' | 'PidMode' | 'UsernsMode', string>>>
}

export function hostConfig({ project, service, files, inherited }: HostConfigInput): HostConfigParts {
  const parts = new BodyParts<HostConfig>('HostConfig.')
  const at = (...path: string[]): readonly string[] => ['services', service.name, ...path]
  const services: Partial<Record<'NetworkMode' | 'IpcMode' | 'PidMode' | 'UsernsMode', string>> = {}

  mounts(parts, { project, service, files, inherited })
  parts.set('PortBindings', portBindings(service), at('ports'))
  for (const port of service.ports) parts.origin(`PortBindings.${port.target}/${port.protocol}`, port.path)

  const network = networkMode(project, service)
  if (typeof network === 'string') parts.set('NetworkMode', network, networkPath(service))
  else services.NetworkMode = network.service
  for (const [name, field, mode] of [
    ['IpcMode', 'ipc', service.ipc],
    ['PidMode', 'pid', service.pid],
    ['UsernsMode', 'userns_mode', service.usernsMode],
  ] as const) {
    if (mode?.kind === 'service') services[name] = mode.service
    else parts.set(name, namespaceMode(mode), at(field))
  }
  parts.set('UTSMode', namespaceMode(service.uts), at('uts'))
  parts.set('CgroupnsMode', service.cgroup, at('cgroup'))
  parts.set('CgroupParent', service.cgroupParent, at('cgroup_parent'))

  limits(parts, project, service)

  parts.set('Privileged', service.privileged, at('privileged'))
  parts.set('CapAdd', service.capAdd, at('cap_add'))
  parts.set('CapDrop', service.capDrop, at('cap_drop'))
  parts.set(
    'SecurityOpt',
    service.securityOpt.map(option => securityOption(option, project.directory)),
    at('security_opt'),
  )
  parts.set('ReadonlyRootfs', service.readOnly, at('read_only'))
  parts.set('Sysctls', service.sysctls, at('sysctls'))
  parts.set(
    'Ulimits',
    service.ulimits.map(u => ({ Name: u.name, Soft: u.soft, Hard: u.hard })),
    at('ulimits'),
  )
  parts.set('GroupAdd', service.groupAdd, at('group_add'))
  const named = service.devices.filter(device => isDescribed(device))
  parts.set(
    'Devices',
    service.devices
      .filter(device => !named.includes(device))
      .map(d => ({
        PathOnHost: d.source,
        PathInContainer: d.target,
        CgroupPermissions: d.permissions,
      })),
    at('devices'),
  )
  parts.set('DeviceCgroupRules', service.deviceCgroupRules, at('device_cgroup_rules'))
  parts.set(
    'DeviceRequests',
    [
      ...named.map(({ source }) => ({ Driver: 'cdi', DeviceIDs: [source] })),
      ...service.gpus.map(gpu => deviceRequest(gpu, ['gpu'])),
      ...(service.deploy?.devices ?? []).map(d => deviceRequest(d)),
    ],
    named.length > 0
      ? at('devices')
      : service.gpus.length > 0
        ? at('gpus')
        : at('deploy', 'resources', 'reservations', 'devices'),
  )

  parts.set('Dns', service.dns, at('dns'))
  parts.set('DnsSearch', service.dnsSearch, at('dns_search'))
  parts.set('DnsOptions', service.dnsOpt, at('dns_opt'))
  parts.set(
    'ExtraHosts',
    service.extraHosts.map(h => `${h.host}:${h.address}`),
    at('extra_hosts'),
  )
  parts.set(
    'VolumesFrom',
    service.volumesFrom.flatMap(v => (v.kind === 'container' ? [`${v.name}:${v.readOnly ? 'ro' : 'rw'}`] : [])),
    at('volumes_from'),
  )
  // undefined leaves it to the engine's default, false overrules that
  if (service.init !== undefined) parts.keep('Init', service.init, at('init'))
  parts.set('ShmSize', service.shmSize, at('shm_size'))
  parts.set('StorageOpt', service.storageOpt, at('storage_opt'))
  parts.set('Runtime', service.runtime, at('runtime'))
  parts.set('Isolation', service.isolation, at('isolation'))
  parts.set('Annotations', { ...service.annotations, ...restartAnnotations(service) }, at('annotations'))
  if (service.restart.kind !== 'no')
    parts.set('RestartPolicy', restartPolicy(service), either(project, at('restart'), at('deploy', 'restart_policy')))
  if (service.logging)
    parts.set(
      'LogConfig',
      {
        ...(service.logging.driver === undefined ? {} : { Type: service.logging.driver }),
        ...(Object.keys(service.logging.options).length === 0 ? {} : { Config: service.logging.options }),
      },
      at('logging'),
    )
  return { host: parts.values, origins: parts.origins, services }
}

function restartPolicy({ restart }: Service): HostConfig['RestartPolicy'] {
  return { Name: restart.kind, ...(restart.kind === 'on-failure' ? { MaximumRetryCount: restart.maxRetries } : {}) }
}

/** What of it can change on a container as it is. */
export function liveHostConfig(service: Service): HostConfig {
  const members = limitNames.flatMap(name => {
    const [member, value] = limitMember(service.limits, name)
    return value === undefined ? [] : [[member, value] as const]
  })
  const weight = service.limits.blkio?.weight
  return {
    ...Object.fromEntries(members),
    ...(weight === undefined ? {} : { BlkioWeight: weight }),
    RestartPolicy: restartPolicy(service),
  }
}

/** A profile of system calls named by its file is told by that file's whole path. */
function securityOption(option: string, directory: string): string {
  const value = /^seccomp[=:](?!unconfined$|builtin$|\s*\{)(.+)$/s.exec(option)?.[1]
  return value === undefined ? option : `seccomp=${resolve(directory, value)}`
}

/** The first of two paths that stands in the stack itself, when one value can be written in two places. */
export function either(project: Project, first: readonly string[], second: readonly string[]): readonly string[] {
  const whole = project.place(first.slice(0, 2))
  const place = project.place(first)
  const written = place && (place.line !== whole?.line || place.column !== whole.column || place.file !== whole.file)
  return written ? first : second
}

function limits(parts: BodyParts<HostConfig>, project: Project, service: Service): void {
  const at = (...path: string[]): readonly string[] => ['services', service.name, ...path]
  const { limits: own } = service
  for (const name of limitNames) {
    const { key, deploy } = limitRow(name)
    const [member, value] = limitMember(own, name)
    const path = deploy ? either(project, at('deploy', 'resources', ...deploy), at(key)) : at(key)
    parts.set(member, value as never, path)
  }
  parts.set('OomKillDisable', own.oomKillDisable, at('oom_kill_disable'))
  const blkio = own.blkio
  if (!blkio) return
  const rates = (list: readonly { readonly path: string; readonly rate: number }[]) =>
    list.map(({ path, rate }) => ({ Path: path, Rate: rate }))
  parts.set('BlkioWeight', blkio.weight, at('blkio_config', 'weight'))
  parts.set(
    'BlkioWeightDevice',
    blkio.weightDevice.map(d => ({ Path: d.path, Weight: d.weight })),
    at('blkio_config', 'weight_device'),
  )
  parts.set('BlkioDeviceReadBps', rates(blkio.deviceReadBps), at('blkio_config', 'device_read_bps'))
  parts.set('BlkioDeviceReadIOps', rates(blkio.deviceReadIops), at('blkio_config', 'device_read_iops'))
  parts.set('BlkioDeviceWriteBps', rates(blkio.deviceWriteBps), at('blkio_config', 'device_write_bps'))
  parts.set('BlkioDeviceWriteIOps', rates(blkio.deviceWriteIops), at('blkio_config', 'device_write_iops'))
}

function portBindings(service: Service): Record<string, PortBinding[]> {
  const bindings: Record<string, PortBinding[]> = {}
  for (const port of service.ports)
    (bindings[`${port.target}/${port.protocol}`] ??= []).push({
      HostIp: port.hostIp ?? '',
      HostPort: port.published ?? '',
    })
  return bindings
}

/** The network's name, a mode, or the service whose network it shares. */
function networkMode(project: Project, service: Service): string | { readonly service: string } {
  const mode = service.networkMode
  switch (mode.kind) {
    case 'networks': {
      const first = Object.keys(service.networks)[0]
      return first === undefined ? 'none' : (project.networks[first]?.name ?? first)
    }
    case 'service':
      return { service: mode.service }
    case 'container':
      return `container:${mode.container}`
    case 'other':
      return mode.value
    default:
      return mode.kind
  }
}

/** What of `deploy.restart_policy` the engines' own policy has no word for. */
function restartAnnotations({ deploy }: Service): Readonly<Record<string, string>> {
  const { restartDelay, restartWindow, restartAttempts } = deploy ?? {}
  return {
    ...(restartDelay ? { [annotations.restartDelay]: formatDuration(restartDelay) } : {}),
    ...(restartWindow ? { [annotations.restartWindow]: formatDuration(restartWindow) } : {}),
    ...(restartAttempts ? { [annotations.restartAttempts]: String(restartAttempts) } : {}),
  }
}

function networkPath(service: Service): readonly string[] {
  const at = ['services', service.name]
  if (service.networkMode.kind !== 'networks') return [...at, 'network_mode']
  return [...at, 'networks', ...Object.keys(service.networks).slice(0, 1)]
}

function namespaceMode(mode: NamespaceMode | undefined): string | undefined {
  if (mode === undefined) return undefined
  switch (mode.kind) {
    case 'service':
      return `service:${mode.service}`
    case 'container':
      return `container:${mode.container}`
    case 'other':
      return mode.value
    default:
      return mode.kind
  }
}

/** A device that a specification of its vendor describes: no path, and nothing of it is chosen. */
function isDescribed({ source, target }: Service['devices'][number]): boolean {
  return source === target && parseDeviceName(source) !== undefined
}

function deviceRequest(request: DeviceRequest, implied: readonly string[] = []): ApiDeviceRequest {
  return {
    Driver: request.driver ?? '',
    Count: request.count ?? (request.deviceIds.length > 0 ? 0 : -1),
    DeviceIDs: request.deviceIds,
    Capabilities: [[...new Set([...implied, ...request.capabilities])]],
    Options: request.options,
  }
}

function mounts(parts: BodyParts<HostConfig>, input: HostConfigInput): void {
  const { service, project } = input
  const list: { mount: ApiMount; path: readonly string[] }[] = []
  const binds: string[] = []
  const tmpfs: Record<string, string> = {}
  const all = ['services', service.name, 'volumes']
  for (const mount of service.mounts) {
    if (mount.kind === 'bind' && mount.selinux) {
      // relabelling can be said in a bind's text only
      const options = [mount.readOnly ? 'ro' : 'rw', mount.selinux, mount.propagation].filter(Boolean)
      parts.origin(`Binds[${binds.length}]`, mount.path)
      binds.push(`${mount.source}:${mount.target}:${options.join(',')}`)
    } else if (mount.kind === 'tmpfs' && mount.options.length > 0) {
      parts.origin(`Tmpfs.${mount.target}`, mount.path)
      tmpfs[mount.target] = tmpfsOptions(mount)
    } else {
      list.push({ mount: apiMount(project, mount, input.inherited), path: mount.path })
    }
  }
  list.push(...input.files.mounts)
  const covered = new Set(service.mounts.map(mount => mount.target))
  for (const [target, name] of input.inherited)
    if (!covered.has(target)) list.push({ mount: { Type: 'volume', Source: name, Target: target }, path: all })
  for (const [i, { path }] of list.entries()) parts.origin(`Mounts[${i}]`, path)
  parts.set(
    'Mounts',
    list.map(({ mount }) => mount),
    all,
  )
  parts.set('Binds', binds, all)
  parts.set('Tmpfs', tmpfs, ['services', service.name, 'tmpfs'])
}

function tmpfsOptions(mount: Extract<Mount, { kind: 'tmpfs' }>): string {
  return [
    ...(mount.readOnly ? ['ro'] : []),
    ...mount.options,
    ...(mount.size === undefined ? [] : [`size=${mount.size}`]),
    ...(mount.mode === undefined ? [] : [`mode=${mount.mode.toString(8)}`]),
  ].join(',')
}

function apiMount(project: Project, mount: Mount, inherited: ReadonlyMap<string, string>): ApiMount {
  const common = { Target: mount.target, ...(mount.readOnly ? { ReadOnly: true } : {}) }
  switch (mount.kind) {
    case 'bind': {
      const options = {
        ...(mount.propagation ? { Propagation: mount.propagation as 'rprivate' } : {}),
        ...(mount.createHostPath ? { CreateMountpoint: true } : {}),
        ...(mount.recursive === 'disabled' ? { NonRecursive: true } : {}),
        ...(mount.recursive === 'writable' ? { ReadOnlyNonRecursive: true } : {}),
        ...(mount.recursive === 'readonly' ? { ReadOnlyForceRecursive: true } : {}),
      }
      return {
        Type: 'bind',
        Source: mount.source,
        ...common,
        ...(mount.consistency ? { Consistency: mount.consistency } : {}),
        ...(Object.keys(options).length > 0 ? { BindOptions: options } : {}),
      }
    }
    case 'volume': {
      const name =
        mount.source === undefined ? inherited.get(mount.target) : (project.volumes[mount.source]?.name ?? mount.source)
      const options = {
        ...(mount.nocopy ? { NoCopy: true } : {}),
        ...(mount.subpath ? { Subpath: mount.subpath } : {}),
        ...(Object.keys(mount.labels).length > 0 ? { Labels: mount.labels } : {}),
      }
      return {
        Type: 'volume',
        ...(name === undefined ? {} : { Source: name }),
        ...common,
        ...(Object.keys(options).length > 0 ? { VolumeOptions: options } : {}),
      }
    }
    case 'tmpfs': {
      const options = {
        ...(mount.size === undefined ? {} : { SizeBytes: mount.size }),
        ...(mount.mode === undefined ? {} : { Mode: mount.mode }),
      }
      return { Type: 'tmpfs', ...common, ...(Object.keys(options).length > 0 ? { TmpfsOptions: options } : {}) }
    }
    case 'image':
      return {
        Type: 'image',
        Source: mount.source,
        ...common,
        ...(mount.subpath ? { ImageOptions: { Subpath: mount.subpath } } : {}),
      }
    default:
      return { Type: mount.kind, Source: mount.source, ...common }
  }
}
