/** One service of the finished tree to the model's Service. */
import { parseDuration } from '../lib/units.ts'
import { conditions, type Dependency } from '../model/dependency.ts'
import type { Healthcheck } from '../model/healthcheck.ts'
import type { Attachment, NetworkMode } from '../model/network.ts'
import type { Port } from '../model/port.ts'
import type { Hook, NamespaceMode, PullPolicy, Service, WatchRule } from '../model/service.ts'
import { formerInitialSync } from './former-keys.ts'
import { scheduleKey, toExposure, toHostPaths, toOnUnhealthy, toSchedule } from './own-keys.ts'
import { toBuild, toHosts } from './to-build.ts'
import { saysRestart, toDeploy, toDeviceRequest, toRestart } from './to-deploy.ts'
import { toLimits, toUlimits } from './to-limits.ts'
import { toMount, toReference, toTmpfs, toVolumesFrom } from './to-mounts.ts'
import type { View } from './view.ts'

export function toService(name: string, view: View): Service {
  const deploy = view.at('deploy')
  return {
    name,
    replicas: replicasOf(view),
    schedule: toSchedule(view),
    onUnhealthy: toOnUnhealthy(view),
    exposure: toExposure(view),
    hostPaths: toHostPaths(view),
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
    environment: withoutNameless(view.nullable('environment')),
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
    restartSaid: saysRestart(view),
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
    shmSize: view.positive('shm_size'),
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

function replicasOf(view: View): number {
  const deploy = view.at('deploy')
  // what has its times runs at no other; and there is one machine
  if (view.has(scheduleKey)) return 0
  if (deploy.text('mode')?.startsWith('global')) return 1
  return view.number('scale') ?? deploy.number('replicas') ?? 1
}

/** A record without prototype, so that any name is only a name. */
function byName<T>(members: ReadonlyArray<readonly [string, T]>): Readonly<Record<string, T>> {
  const result: Record<string, T> = Object.create(null)
  for (const [name, member] of members) result[name] = member
  return result
}

function toPullPolicy(text: string | undefined): PullPolicy {
  switch (text) {
    case 'always':
    case 'never':
    case 'build':
      return { kind: text }
    case 'missing':
    case 'if_not_present':
      return { kind: 'missing', said: true }
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
    initialSync: view.bool('initial_sync') ?? view.bool(formerInitialSync) ?? false,
  }
}

/** What an env_file has after its last variable gets no name, and is nothing a container can be given. */
function withoutNameless(variables: Readonly<Record<string, string | null>>): Readonly<Record<string, string | null>> {
  if (!Object.hasOwn(variables, '')) return variables
  const { '': _, ...named } = variables
  return named
}
