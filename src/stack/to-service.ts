/** One service of the finished tree to the model's Service. */
import { parseBytes, parseDuration } from '../lib/units.ts'
import type { Build } from '../model/build.ts'
import { conditions, type Dependency } from '../model/dependency.ts'
import type { Deploy, RestartPolicy, Rollout } from '../model/deploy.ts'
import type { DeviceRequest } from '../model/device.ts'
import type { FileReference } from '../model/file-object.ts'
import type { Healthcheck } from '../model/healthcheck.ts'
import type { Blkio, Limits, Ulimit } from '../model/limits.ts'
import type { Mount } from '../model/mount.ts'
import type { Attachment, NetworkMode } from '../model/network.ts'
import type { Port } from '../model/port.ts'
import type { Hook, NamespaceMode, PullPolicy, Service, VolumesFrom, WatchRule } from '../model/service.ts'
import { parseHost } from './fields/extra-hosts.ts'
import type { View } from './view.ts'

export function toService(name: string, view: View): Service {
  const deploy = view.at('deploy')
  return {
    name,
    replicas: view.number('scale') ?? deploy.number('replicas') ?? 1,
    profiles: view.texts('profiles'),
    image: view.text('image'),
    build: view.has('build') ? toBuild(view.at('build')) : undefined,
    platform: view.text('platform'),
    pullPolicy: toPullPolicy(view.text('pull_policy')),
    provider: view.has('provider')
      ? {
          type: view.at('provider').text('type') ?? '',
          options: Object.fromEntries(
            view
              .at('provider')
              .at('options')
              .members()
              .map(([key]) => [key, view.at('provider').at('options').texts(key)]),
          ),
        }
      : undefined,
    models: Object.fromEntries(
      view
        .at('models')
        .members()
        .map(([key, use]) => [key, { endpointVar: use.text('endpoint_var'), modelVar: use.text('model_var') }]),
    ),
    command: view.words('command'),
    entrypoint: view.words('entrypoint'),
    environment: view.nullable('environment'),
    workingDir: view.text('working_dir'),
    user: view.text('user'),
    groupAdd: view.texts('group_add'),
    init: view.bool('init'),
    tty: view.bool('tty') ?? false,
    stdinOpen: view.bool('stdin_open') ?? false,
    stopSignal: view.text('stop_signal'),
    stopGracePeriod: view.number('stop_grace_period'),
    labels: view.strings('labels'),
    annotations: view.strings('annotations'),
    containerName: view.text('container_name'),
    hostname: view.text('hostname'),
    domainname: view.text('domainname'),
    attach: view.bool('attach') ?? true,
    dependsOn: byName(
      view
        .at('depends_on')
        .members()
        .map(([key, entry]) => [key, toDependency(key, entry)]),
    ),
    healthcheck: view.has('healthcheck') ? toHealthcheck(view.at('healthcheck')) : undefined,
    restart: toRestart(view),
    deploy: view.has('deploy') ? toDeploy(deploy) : undefined,
    limits: toLimits(view),
    networkMode: toNetworkMode(view.text('network_mode')),
    networks: toAttachments(view),
    ports: view.views('ports').map(toPort),
    expose: view.texts('expose').flatMap(expandExpose),
    links: view.texts('links').map(link => ({ service: link.split(':')[0]!, alias: link.split(':')[1] ?? link })),
    externalLinks: view
      .texts('external_links')
      .map(link => ({ container: link.split(':')[0]!, alias: link.split(':')[1] ?? link })),
    extraHosts: toHosts(view.texts('extra_hosts')),
    dns: view.texts('dns'),
    dnsSearch: view.texts('dns_search'),
    dnsOpt: view.texts('dns_opt'),
    macAddress: view.text('mac_address'),
    mounts: [
      ...view.views('volumes').flatMap(toMount),
      ...view.texts('tmpfs').map((spec, index) => toTmpfs(spec, [...view.path, 'tmpfs', String(index)])),
    ],
    volumesFrom: view.texts('volumes_from').map(toVolumesFrom),
    secrets: view.views('secrets').map(entry => toReference(entry, '/run/secrets/')),
    configs: view.views('configs').map(entry => toReference(entry, '/')),
    readOnly: view.bool('read_only') ?? false,
    storageOpt: view.strings('storage_opt'),
    shmSize: positive(view.number('shm_size')),
    privileged: view.bool('privileged') ?? false,
    capAdd: view.texts('cap_add'),
    capDrop: view.texts('cap_drop'),
    securityOpt: view.texts('security_opt'),
    sysctls: view.strings('sysctls'),
    ulimits: toUlimits(view.at('ulimits')),
    devices: view.views('devices').map(device => ({
      source: device.text('source') ?? '',
      target: device.text('target') ?? device.text('source') ?? '',
      permissions: device.text('permissions') ?? 'rwm',
    })),
    deviceCgroupRules: view.texts('device_cgroup_rules'),
    gpus: view.views('gpus').map(toDeviceRequest),
    ipc: toNamespace(view.text('ipc')),
    pid: toNamespace(view.text('pid')),
    uts: toNamespace(view.text('uts')),
    usernsMode: toNamespace(view.text('userns_mode')),
    cgroup: view.text('cgroup') as 'host' | 'private' | undefined,
    cgroupParent: view.text('cgroup_parent'),
    runtime: view.text('runtime'),
    isolation: view.text('isolation'),
    credentialSpec: view.has('credential_spec')
      ? {
          config: view.at('credential_spec').text('config'),
          file: view.at('credential_spec').text('file'),
          registry: view.at('credential_spec').text('registry'),
        }
      : undefined,
    useApiSocket: view.bool('use_api_socket') ?? false,
    logging: view.has('logging')
      ? { driver: view.at('logging').text('driver'), options: view.at('logging').strings('options') }
      : undefined,
    preStart: view.views('pre_start').map(toHook),
    postStart: view.views('post_start').map(toHook),
    preStop: view.views('pre_stop').map(toHook),
    watch: view.at('develop').views('watch').map(toWatchRule),
  }
}

/** A record without prototype, so that any name is only a name. */
function byName<T>(members: ReadonlyArray<readonly [string, T]>): Readonly<Record<string, T>> {
  const result: Record<string, T> = Object.create(null)
  for (const [name, member] of members) result[name] = member
  return result
}

/** Zero means "not set" where the engine has a default of its own. */
function positive(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value
}

function toPullPolicy(text: string | undefined): PullPolicy {
  switch (text) {
    case 'always':
    case 'never':
    case 'build':
      return { kind: text }
    case 'refresh':
      return { kind: 'always' }
    case 'daily':
      return { kind: 'interval', interval: parseDuration('1d')! }
    case 'weekly':
      return { kind: 'interval', interval: parseDuration('1w')! }
    default:
      return text?.startsWith('every_')
        ? { kind: 'interval', interval: parseDuration(text.slice('every_'.length)) ?? 0 }
        : { kind: 'missing' }
  }
}

function toDependency(service: string, view: View): Dependency {
  const words = {
    service_started: 'started',
    service_healthy: 'healthy',
    service_completed_successfully: 'completed',
  } as const
  const condition = words[view.text('condition') as keyof typeof words] ?? conditions[0]
  return { service, condition, required: view.bool('required') ?? true, restart: view.bool('restart') ?? false }
}

function toHealthcheck(view: View): Healthcheck {
  const test = view.words('test')
  return {
    disable: view.bool('disable') === true || test?.[0] === 'NONE',
    test: test?.[0] === 'NONE' || test?.length === 0 ? undefined : test,
    interval: view.number('interval'),
    timeout: view.number('timeout'),
    startPeriod: view.number('start_period'),
    startInterval: view.number('start_interval'),
    retries: view.number('retries'),
  }
}

/** `deploy.restart_policy` wins over `restart`, as in Compose. */
function toRestart(view: View): RestartPolicy {
  const policy = view.at('deploy').at('restart_policy')
  if (policy.node?.kind === 'map') {
    const condition = policy.text('condition') ?? 'any'
    if (condition === 'none' || condition === 'no') return { kind: 'no' }
    if (condition === 'on-failure') return { kind: 'on-failure', maxRetries: policy.number('max_attempts') ?? 0 }
    return condition === 'unless-stopped' ? { kind: 'unless-stopped' } : { kind: 'always' }
  }
  const [kind, retries] = (view.text('restart') ?? 'no').split(':')
  if (kind === 'on-failure') return { kind, maxRetries: Number(retries ?? 0) || 0 }
  return kind === 'always' || kind === 'unless-stopped' ? { kind } : { kind: 'no' }
}

function toDeploy(view: View): Deploy {
  const reservations = view.at('resources').at('reservations')
  const placement = view.at('placement')
  return {
    mode: view.text('mode'),
    endpointMode: view.text('endpoint_mode'),
    labels: view.strings('labels'),
    update: view.has('update_config') ? toRollout(view.at('update_config')) : undefined,
    rollback: view.has('rollback_config') ? toRollout(view.at('rollback_config')) : undefined,
    restartDelay: view.at('restart_policy').number('delay'),
    restartWindow: view.at('restart_policy').number('window'),
    placement: {
      constraints: placement.texts('constraints'),
      spread: placement.views('preferences').flatMap(preference => preference.text('spread') ?? []),
      maxReplicasPerNode: placement.number('max_replicas_per_node'),
    },
    cpuReservation: reservations.number('cpus'),
    devices: reservations.views('devices').map(toDeviceRequest),
  }
}

function toRollout(view: View): Rollout {
  return {
    parallelism: view.number('parallelism'),
    delay: view.number('delay'),
    failureAction: view.text('failure_action'),
    monitor: view.number('monitor'),
    maxFailureRatio: view.number('max_failure_ratio'),
    order: view.text('order') as 'start-first' | 'stop-first' | undefined,
  }
}

function toLimits(view: View): Limits {
  const limits = view.at('deploy').at('resources').at('limits')
  const reservations = view.at('deploy').at('resources').at('reservations')
  return {
    memory: positive(limits.number('memory')) ?? positive(view.number('mem_limit')),
    memoryReservation: positive(reservations.number('memory')) ?? positive(view.number('mem_reservation')),
    memorySwap: positive(view.number('memswap_limit')),
    memorySwappiness: view.number('mem_swappiness'),
    oomKillDisable: view.bool('oom_kill_disable') ?? false,
    oomScoreAdj: view.number('oom_score_adj'),
    cpus: positive(limits.number('cpus')) ?? positive(view.number('cpus')),
    cpuCount: positive(view.number('cpu_count')),
    cpuPercent: positive(view.number('cpu_percent')),
    cpuShares: positive(view.number('cpu_shares')),
    cpuQuota: positive(view.number('cpu_quota')),
    cpuPeriod: positive(view.number('cpu_period')),
    cpuRtRuntime: positive(view.number('cpu_rt_runtime')),
    cpuRtPeriod: positive(view.number('cpu_rt_period')),
    cpuset: view.text('cpuset'),
    pids: positive(limits.number('pids')) ?? positive(view.number('pids_limit')),
    blkio: view.has('blkio_config') ? toBlkio(view.at('blkio_config')) : undefined,
  }
}

function toBlkio(view: View): Blkio {
  const rates = (key: string) =>
    view.views(key).map(entry => ({ path: entry.text('path') ?? '', rate: entry.number('rate') ?? 0 }))
  return {
    weight: view.number('weight'),
    weightDevice: view
      .views('weight_device')
      .map(entry => ({ path: entry.text('path') ?? '', weight: entry.number('weight') ?? 0 })),
    deviceReadBps: rates('device_read_bps'),
    deviceReadIops: rates('device_read_iops'),
    deviceWriteBps: rates('device_write_bps'),
    deviceWriteIops: rates('device_write_iops'),
  }
}

function toNetworkMode(text: string | undefined): NetworkMode {
  if (text === undefined) return { kind: 'networks' }
  if (text === 'host' || text === 'none') return { kind: text }
  if (text.startsWith('service:')) return { kind: 'service', service: text.slice('service:'.length) }
  if (text.startsWith('container:')) return { kind: 'container', container: text.slice('container:'.length) }
  return { kind: 'other', value: text }
}

function toNamespace(text: string | undefined): NamespaceMode | undefined {
  if (text === undefined) return undefined
  if (text === 'private' || text === 'shareable' || text === 'none' || text === 'host') return { kind: text }
  if (text.startsWith('service:')) return { kind: 'service', service: text.slice('service:'.length) }
  if (text.startsWith('container:')) return { kind: 'container', container: text.slice('container:'.length) }
  return { kind: 'other', value: text }
}

function toAttachments(view: View): Readonly<Record<string, Attachment>> {
  const attachments = view
    .at('networks')
    .members()
    .map(([network, entry]) => ({
      network,
      aliases: entry.texts('aliases'),
      ipv4Address: entry.text('ipv4_address'),
      ipv6Address: entry.text('ipv6_address'),
      linkLocalIPs: entry.texts('link_local_ips'),
      macAddress: entry.text('mac_address'),
      interfaceName: entry.text('interface_name'),
      driverOpts: entry.strings('driver_opts'),
      priority: entry.number('priority') ?? 0,
      gwPriority: entry.number('gw_priority') ?? 0,
    }))
    .sort((a, b) => b.priority - a.priority || (a.network < b.network ? -1 : 1))
  return byName(attachments.map(attachment => [attachment.network, attachment]))
}

function toPort(view: View): Port {
  return {
    target: view.number('target') ?? 0,
    published: view.text('published'),
    protocol: (view.text('protocol') ?? 'tcp') as Port['protocol'],
    hostIp: view.text('host_ip'),
    mode: view.text('mode') === 'host' ? 'host' : 'ingress',
    name: view.text('name'),
    appProtocol: view.text('app_protocol'),
    path: view.path,
  }
}

/** "8000-8002/udp" to three; "8080" stays. */
function expandExpose(spec: string): readonly string[] {
  const [range = '', protocol] = spec.split('/')
  const [first, last] = range.split('-').map(Number)
  if (last === undefined || first === undefined || !(last >= first) || last - first > 65535) return [spec]
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}${protocol ? `/${protocol}` : ''}`)
}

function toHosts(entries: readonly string[]): Array<{ host: string; address: string }> {
  return entries.flatMap(entry => {
    const pair = parseHost(entry)
    return pair ? pair.addresses.map(address => ({ host: pair.host, address })) : []
  })
}

function toMount(view: View): readonly Mount[] {
  const common = { target: view.text('target') ?? '', readOnly: view.bool('read_only') ?? false, path: view.path }
  switch (view.text('type')) {
    case 'bind': {
      const bind = view.at('bind')
      return [
        {
          kind: 'bind',
          ...common,
          source: view.text('source') ?? '',
          createHostPath: bind.bool('create_host_path') ?? false,
          propagation: bind.text('propagation'),
          recursive: bind.text('recursive') as 'enabled' | undefined,
          selinux: bind.text('selinux') as 'z' | undefined,
          consistency: view.text('consistency'),
        },
      ]
    }
    case 'volume': {
      const volume = view.at('volume')
      return [
        {
          kind: 'volume',
          ...common,
          source: view.text('source'),
          nocopy: volume.bool('nocopy') ?? false,
          subpath: volume.text('subpath'),
          labels: volume.strings('labels'),
        },
      ]
    }
    case 'tmpfs':
      return [
        {
          kind: 'tmpfs',
          ...common,
          size: positive(view.at('tmpfs').number('size')),
          mode: positive(view.at('tmpfs').number('mode')),
          options: [],
        },
      ]
    case 'image':
      return [
        { kind: 'image', ...common, source: view.text('source') ?? '', subpath: view.at('image').text('subpath') },
      ]
    default:
      return [
        { kind: view.text('type') === 'npipe' ? 'npipe' : 'cluster', ...common, source: view.text('source') ?? '' },
      ]
  }
}

/** "/run:size=64m,mode=1777,noexec": what is not size or mode stays an option. */
function toTmpfs(spec: string, path: readonly string[]): Mount {
  const colon = spec.indexOf(':')
  const target = colon < 0 ? spec : spec.slice(0, colon)
  const options =
    colon < 0
      ? []
      : spec
          .slice(colon + 1)
          .split(',')
          .filter(Boolean)
  const value = (key: string) => options.findLast(option => option.startsWith(`${key}=`))?.slice(key.length + 1)
  const [size, mode] = [value('size'), value('mode')]
  return {
    kind: 'tmpfs',
    target,
    readOnly: options.includes('ro'),
    size: size === undefined ? undefined : parseBytes(size),
    mode: mode === undefined || !/^[0-7]+$/.test(mode) ? undefined : Number.parseInt(mode, 8),
    options: options.filter(option => !/^(?:size|mode)=/.test(option) && option !== 'ro' && option !== 'rw'),
    path,
  }
}

function toVolumesFrom(spec: string): VolumesFrom {
  const parts = spec.split(':')
  if (parts[0] === 'container') return { kind: 'container', name: parts[1] ?? '', readOnly: parts[2] === 'ro' }
  return { kind: 'service', name: parts[0]!, readOnly: parts[1] === 'ro' }
}

function toReference(view: View, root: string): FileReference {
  const source = view.text('source') ?? ''
  const target = view.text('target') ?? source
  return {
    source,
    target: root === '' || target.startsWith('/') ? target : `${root}${target}`,
    uid: view.text('uid'),
    gid: view.text('gid'),
    mode: view.number('mode'),
    path: view.path,
  }
}

function toUlimits(view: View): readonly Ulimit[] {
  return view.members().map(([name, limit]) => {
    const both = limit.node?.kind === 'scalar' && typeof limit.node.value === 'number' ? limit.node.value : undefined
    return { name, soft: both ?? limit.number('soft') ?? 0, hard: both ?? limit.number('hard') ?? 0 }
  })
}

function toDeviceRequest(view: View): DeviceRequest {
  return {
    capabilities: view.texts('capabilities'),
    driver: view.text('driver'),
    count: view.number('count'),
    deviceIds: view.texts('device_ids'),
    options: view.strings('options'),
  }
}

function toHook(view: View): Hook {
  return {
    command: view.texts('command'),
    user: view.text('user'),
    privileged: view.bool('privileged') ?? false,
    workingDir: view.text('working_dir'),
    environment: view.nullable('environment'),
    image: view.text('image'),
    perReplica: view.bool('per_replica') ?? false,
  }
}

function toWatchRule(view: View): WatchRule {
  return {
    path: view.text('path') ?? '',
    action: view.text('action') as WatchRule['action'],
    target: view.text('target'),
    ignore: view.texts('ignore'),
    include: view.texts('include'),
    exec: view.has('exec') ? toHook(view.at('exec')) : undefined,
    initialSync: view.bool('initial_sync') ?? false,
  }
}

function toBuild(view: View): Build {
  return {
    context: view.text('context') ?? '.',
    dockerfile: view.text('dockerfile'),
    dockerfileInline: view.text('dockerfile_inline'),
    args: view.nullable('args'),
    additionalContexts: view.strings('additional_contexts'),
    labels: view.strings('labels'),
    target: view.text('target'),
    tags: view.texts('tags'),
    platforms: view.texts('platforms'),
    cacheFrom: view.texts('cache_from'),
    cacheTo: view.texts('cache_to'),
    noCache: view.bool('no_cache') ?? false,
    noCacheFilter: view.texts('no_cache_filter'),
    pull: view.bool('pull') ?? false,
    network: view.text('network'),
    extraHosts: toHosts(view.texts('extra_hosts')),
    shmSize: positive(view.number('shm_size')),
    isolation: view.text('isolation'),
    privileged: view.bool('privileged') ?? false,
    secrets: view.views('secrets').map(entry => toReference(entry, '')),
    ssh: view
      .texts('ssh')
      .map(key => ({ id: key.split('=')[0]!, path: key.includes('=') ? key.slice(key.indexOf('=') + 1) : undefined })),
    ulimits: toUlimits(view.at('ulimits')),
    entitlements: view.texts('entitlements'),
    provenance: view.text('provenance'),
    sbom: view.text('sbom'),
  }
}
