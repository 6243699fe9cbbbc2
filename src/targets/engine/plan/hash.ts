/** The hash of what matters in a service, network or volume, and of each field by itself, so that a change can be named. */
import { Failure } from '../../../lib/failure.ts'
import { stableHash } from '../../../lib/stable-json.ts'
import type { FileReference, FileSource } from '../../../model/file-object.ts'
import { type Limits, limitNames, limitRow } from '../../../model/limits.ts'
import type { Network } from '../../../model/network.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { Volume } from '../../../model/volume.ts'
import type { Fields } from './fields.ts'
import { isSettled } from './live-fields.ts'
import { imageName } from './names.ts'

/** Field → value, without those that say nothing: a field added to the model later changes no hash by its default. */
type Values = Readonly<Record<string, unknown>>

export interface Hashed {
  /** Hex sha256 of what only a new container can have: the config-hash label. */
  readonly hash: string
  /** All of it: also what changes on a container as it is, and texts, which wait for a new one. */
  readonly fields: Fields
}

/** sha256 of files by absolute path: `Observed.files`. */
export type FileHashes = ReadonlyMap<string, string>

export function hashService(project: Project, service: Service, files: FileHashes): Hashed {
  return hashed(serviceValues(project, service, files), isSettled)
}

export function hashNetwork(network: Network): Hashed {
  return hashed(
    significant({
      driver: network.driver,
      ipam: significant({ ...network.ipam, config: network.ipam.config.map(pool => significant({ ...pool })) }),
      internal: network.internal,
      attachable: network.attachable,
      // what is not said is true
      enable_ipv4: network.enableIPv4 === false ? 'false' : network.enableIPv4,
      enable_ipv6: network.enableIPv6,
      ...each('driver_opts', network.driverOpts),
      ...each('labels', network.labels),
    }),
  )
}

export function hashVolume(volume: Volume): Hashed {
  return hashed(
    significant({
      driver: volume.driver,
      ...each('driver_opts', volume.driverOpts),
      ...each('labels', volume.labels),
    }),
  )
}

/** Eight digits: enough to see a change; the whole is decided by the full hash. */
function hashed(values: Values, counts: (field: string) => boolean = () => true): Hashed {
  const hash = stableHash(Object.fromEntries(Object.entries(values).filter(([field]) => counts(field))))
  let fields: Fields | undefined
  return {
    hash,
    // most of the time the hash is all that is wanted
    get fields() {
      fields ??= shortHashes(values)
      return fields
    },
  }
}

function shortHashes(values: Values): Fields {
  const fields = Object.keys(values).sort()
  return Object.fromEntries(fields.map(field => [field, stableHash(values[field]).slice(0, 8)]))
}

/** A member: the stack's name of it, or not part of the container, or several fields by a function. */
type Row<T> = string | 'not in the container' | ((value: T, context: Context) => Values)
type Rows<T> = { readonly [K in keyof Required<T>]: Row<T[K]> }
interface Context {
  readonly project: Project
  readonly service: Service
  readonly files: FileHashes
}

const away = 'not in the container'

/** Every member of a service; a new one does not compile until it is said here whether it matters. */
const serviceRows: Rows<Service> = {
  name: away,
  replicas: away,
  profiles: away,
  image: (_, { project, service }) => ({ image: imageName(project, service) }),
  build: away,
  platform: 'platform',
  pullPolicy: away,
  provider: away,
  models: away,
  command: 'command',
  entrypoint: 'entrypoint',
  environment: value => each('environment', value),
  workingDir: 'working_dir',
  user: 'user',
  groupAdd: 'group_add',
  init: 'init',
  tty: 'tty',
  stdinOpen: 'stdin_open',
  stopSignal: 'stop_signal',
  stopGracePeriod: 'stop_grace_period',
  labels: value => each('labels', value),
  annotations: value => each('annotations', value),
  containerName: 'container_name',
  hostname: 'hostname',
  domainname: 'domainname',
  attach: away,
  dependsOn: away,
  healthcheck: value => ({
    'healthcheck.disable': value?.disable,
    'healthcheck.test': value?.test,
    'healthcheck.interval': value?.interval,
    'healthcheck.timeout': value?.timeout,
    'healthcheck.start_period': value?.startPeriod,
    'healthcheck.start_interval': value?.startInterval,
    'healthcheck.retries': value?.retries,
  }),
  restart: value => (value.kind === 'no' ? {} : { restart: value }),
  // the rest says how containers come and go, and is in none of them
  deploy: value => ({
    'deploy.resources.reservations.devices': value?.devices,
    'deploy.restart_policy.delay': value?.restartDelay,
    'deploy.restart_policy.window': value?.restartWindow,
    'deploy.restart_policy.max_attempts': value?.restartAttempts,
  }),
  limits: value => limitValues(value),
  networkMode: value => (value.kind === 'networks' ? {} : { network_mode: value }),
  networks: (value, { project }) => networkValues(value, project),
  ports: value => ({ ports: value.map(({ path: _, ...port }) => port) }),
  expose: 'expose',
  links: 'links',
  externalLinks: 'external_links',
  extraHosts: 'extra_hosts',
  dns: 'dns',
  dnsSearch: 'dns_search',
  dnsOpt: 'dns_opt',
  macAddress: 'mac_address',
  mounts: (value, { project }) =>
    each(
      'volumes',
      Object.fromEntries(
        value.map(({ path: _, target, ...mount }) => {
          const name = mount.kind === 'volume' && mount.source ? project.volumes[mount.source]?.name : undefined
          return [target, significant({ ...mount, name })]
        }),
      ),
    ),
  volumesFrom: 'volumes_from',
  secrets: (value, context) => fileValues('secrets', value, context),
  configs: (value, context) => fileValues('configs', value, context),
  readOnly: 'read_only',
  storageOpt: 'storage_opt',
  shmSize: 'shm_size',
  privileged: 'privileged',
  capAdd: 'cap_add',
  capDrop: 'cap_drop',
  securityOpt: 'security_opt',
  sysctls: value => each('sysctls', value),
  ulimits: value => each('ulimits', Object.fromEntries(value.map(u => [u.name, [u.soft, u.hard]]))),
  devices: 'devices',
  deviceCgroupRules: 'device_cgroup_rules',
  gpus: 'gpus',
  ipc: 'ipc',
  pid: 'pid',
  uts: 'uts',
  usernsMode: 'userns_mode',
  cgroup: 'cgroup',
  cgroupParent: 'cgroup_parent',
  runtime: 'runtime',
  isolation: 'isolation',
  credentialSpec: 'credential_spec',
  useApiSocket: 'use_api_socket',
  logging: 'logging',
  // what has run before it started is part of what it is
  preStart: value => ({ pre_start: value.map(hook => significant({ ...hook })) }),
  schedule: away,
  onUnhealthy: away,
  exposure: away,
  restartSaid: away,
  hostPaths: away,
  postStart: away,
  preStop: away,
  watch: away,
}

const containerRows = (Object.entries(serviceRows) as [keyof Service, Row<never>][]).filter(([, row]) => row !== away)

function serviceValues(project: Project, service: Service, files: FileHashes): Values {
  const context = { project, service, files }
  const values: Record<string, unknown> = Object.create(null)
  for (const [key, row] of containerRows) {
    const value = service[key]
    if (typeof row === 'string') {
      if (says(value) || (keepsEmpty.has(row) && value !== undefined)) values[row] = value
    } else if (key === 'image' || says(value)) {
      for (const [field, part] of Object.entries((row as (v: never, c: Context) => Values)(value as never, context)))
        if (says(part) || (perEntry.test(field) && part !== undefined)) values[field] = part
    }
  }
  return values
}

/** An empty command is a command: none. `init: false` is said against an engine whose default is true. */
const keepsEmpty: ReadonlySet<string> = new Set(['command', 'entrypoint', 'init'])
/** In these an entry's presence counts, whatever its value. */
const perEntry = /^(environment|labels|annotations|sysctls|volumes|networks|ulimits|secrets|configs)\./

function limitValues(limits: Limits): Values {
  return {
    ...Object.fromEntries(limitNames.map(name => [limitRow(name).key, limits[name]])),
    oom_kill_disable: limits.oomKillDisable,
    'blkio_config.weight': limits.blkio?.weight,
    'blkio_config.weight_device': limits.blkio?.weightDevice,
    'blkio_config.device_read_bps': limits.blkio?.deviceReadBps,
    'blkio_config.device_read_iops': limits.blkio?.deviceReadIops,
    'blkio_config.device_write_bps': limits.blkio?.deviceWriteBps,
    'blkio_config.device_write_iops': limits.blkio?.deviceWriteIops,
  }
}

/** The name alone: aliases and addresses are compared with what an engine says. Priorities settle which interface is the first. */
function networkValues(networks: Service['networks'], project: Project): Values {
  const values: Record<string, unknown> = Object.create(null)
  for (const [key, { macAddress }] of Object.entries(networks)) {
    values[`networks.${key}`] = project.networks[key]?.name ?? key
    if (macAddress !== undefined) values[`networks.${key}.mac_address`] = macAddress
  }
  const ranked = Object.entries(networks).filter(([, { priority }]) => priority !== 0)
  if (ranked.length > 0) values['networks:priority'] = ranked.map(([key]) => key)
  return values
}

/** Where a config or secret comes from, and what is in it. */
function fileValues(kind: 'configs' | 'secrets', references: readonly FileReference[], context: Context): Values {
  const values: Record<string, unknown> = Object.create(null)
  for (const { path: _, ...reference } of references) {
    const object = context.project[kind][reference.source]
    const source = object?.source
    const field = `${kind}.${reference.source}`
    values[field in values ? `${field}.${reference.target}` : field] = {
      ...reference,
      name: source?.kind === 'external' ? object?.name : undefined,
      source: source?.kind,
    }
    Object.assign(values, source && contentValues(`${kind}.${reference.source}`, source, context))
  }
  return values
}

/** A changed file is a changed service. Nothing can be said of a variable that is not set. */
function contentValues(field: string, source: FileSource, { files }: Context): Values {
  switch (source.kind) {
    case 'file':
      return { [`${field}.content`]: files.get(source.file) ?? '' }
    case 'environment':
      return source.value === undefined ? {} : { [`${field}.text`]: source.value }
    case 'content':
      return { [`${field}.text`]: source.content }
    default:
      return { [`${field}.content`]: source }
  }
}

function each(field: string, record: Readonly<Record<string, unknown>> | undefined): Values {
  return Object.fromEntries(Object.entries(record ?? {}).map(([key, value]) => [`${field}.${key}`, value]))
}

/** Without members that say nothing. */
function significant(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => says(value)))
}

function says(value: unknown): boolean {
  if (value === undefined || value === false) return false
  if (Array.isArray(value)) return value.length > 0
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0
}

/** The config hash of each service as `config --hash` prints it. @throws Failure `not-found` for a service that is not there. */
export function configHash(project: Project, name: string, files: FileHashes): string {
  const service = project.services[name]
  if (!service) throw new Failure('not-found', `Cannot hash service "${name}": it is not in the stack`)
  return hashService(project, service, files).hash
}
