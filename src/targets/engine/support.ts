/** How each attribute of the format is honoured on one machine: by this client, and by the engine it talks to. */
import type { Problem } from '../../lib/problems.ts'
import { no, partly, quiet, type Rules, type Support, tableOf, type Use, warningsOf } from '../support.ts'

/** Who runs the containers: ours, ours without root rights, or a Docker Engine. */
export const engineKinds = ['tscompose', 'rootless', 'docker'] as const
export type EngineKind = (typeof engineKinds)[number]

const oneMachine = 'containers run on this machine alone'
const windows = 'has a meaning on Windows only'
const swarm = 'for swarm'

/** What this client does not do whole, whoever runs the containers; a rule holds for what is below it too, the longest path wins. */
const clientRules: Rules = {
  version: quiet('obsolete, has no effect'),
  models: no('AI models are not run'),
  'services.*.build.isolation': no(windows, /^(default)?$/),
  'services.*.build.provenance': partly(
    'an attestation is asked for; an engine that stores none makes none',
    /^false$/,
  ),
  'services.*.build.secrets.*.uid': quiet('the RUN of the Dockerfile says whose a secret is'),
  'services.*.build.secrets.*.gid': quiet('the RUN of the Dockerfile says whose a secret is'),
  'services.*.build.secrets.*.mode': quiet('the RUN of the Dockerfile says who may read a secret'),
  'services.*.build.sbom': partly('an attestation is asked for; an engine that stores none makes none', /^false$/),
  'services.*.cpu_count': no(windows),
  'services.*.cpu_percent': no(windows),
  'services.*.credential_spec': no(windows),
  'services.*.deploy.mode': quiet('on one machine; global is one container'),
  'services.*.deploy.endpoint_mode': quiet('names resolve to all containers in turn; there is no virtual address'),
  'services.*.deploy.labels': no('there is no service object that could carry them'),
  'services.*.deploy.placement': no(oneMachine),
  'services.*.deploy.resources.reservations.cpus': no('nothing schedules by it on one machine'),
  'services.*.deploy.resources.reservations.generic_resources': no(oneMachine),
  'services.*.isolation': no(windows, /^default$/),
  'services.*.mac_address': quiet('of the first network'),
  'services.*.models': no('AI models are not run'),
  'services.*.ports.*.app_protocol': quiet('for readers'),
  'services.*.ports.*.mode': quiet('every port is published on this host'),
  'services.*.ports.*.name': quiet('for readers'),
  'services.*.provider': no('other programs are not called to provide a service'),
  'services.*.pull_refresh_after': no('has no effect in Compose either; "pull_policy: every_…" has'),
  'services.*.use_api_socket': no(
    'the socket of the engine is root on this machine; mount it yourself if you must',
    /^false$/,
  ),
  'services.*.volumes.*.consistency': quiet('for other platforms'),
  'services.*.volumes.*.volume.labels': quiet('on anonymous volumes that are new'),
  'networks.*.attachable': quiet('every container may be attached'),
  'secrets.*.driver': no(swarm),
  'secrets.*.driver_opts': no(swarm),
  'secrets.*.template_driver': no(swarm),
  'secrets.*.labels': quiet('for readers'),
  'secrets.*.external': no('secrets of a swarm are not there', /^false$/),
  'configs.*.template_driver': no(swarm),
  'configs.*.labels': quiet('for readers'),
  'configs.*.external': no('configs of a swarm are not there', /^false$/),
}

const devicesBySpecification =
  'as files of the Container Device Interface in /etc/cdi and /var/run/cdi describe them; hooks that these name are not run, which the log of the engine tells'

const delegated = (what: string) =>
  quiet(
    `${what} by the groups of cgroup v2 that systemd gives the user; otherwise not in force, which the engine tells`,
  )

/** Beside what ours does not do whole: the engine itself says what of this concerns a container. */
const withoutRoot: Rules = {
  'services.*.blkio_config': delegated('where the user was given the controller io,'),
  'services.*.cgroup_parent': quiet('below the group that the user was given'),
  'services.*.cpus': delegated('limited'),
  'services.*.cpuset': delegated('where the user was given the controller cpuset,'),
  'services.*.cpu_quota': delegated('limited'),
  'services.*.cpu_shares': delegated('weighed'),
  'services.*.mem_limit': delegated('limited'),
  'services.*.pids_limit': delegated('limited'),
  'services.*.deploy.resources.limits': delegated('limited'),
  'services.*.cap_add': quiet(
    'rights over what belongs to the namespaces of the user, and over nothing of the machine',
  ),
  'services.*.privileged': quiet(
    'rights over what belongs to the namespaces of the user, and devices that the user may open',
  ),
  'services.*.devices': quiet(`those that the user may open; paths, or VENDOR/CLASS=DEVICE: ${devicesBySpecification}`),
  'services.*.device_cgroup_rules': quiet('without effect: the modes of the devices decide, and none can be made'),
  'services.*.network_mode': quiet(
    '"host" is the network of the engine of the user, whose ports this machine does not show',
  ),
  'services.*.oom_score_adj': quiet('not below that of the engine'),
  'services.*.ulimits': quiet('up to the hard limits of the user'),
  'services.*.ports': quiet('TCP and UDP; below 1024 where net.ipv4.ip_unprivileged_port_start lets users; not SCTP'),
  'volumes.*.driver_opts': quiet('tmpfs and binds: what the kernel lets no user mount (nfs, disks) is refused'),
}

/** Whether its condition restarts nothing, or is on-failure, which that of a job becomes. */
function isCounted({ path, valueAt }: Use): boolean {
  const condition = valueAt(path.with(-1, 'condition'))
  const mode = valueAt([...path.slice(0, -2), 'mode'])
  return [undefined, 'none', 'no', 'on-failure'].some(each => each === condition) || String(mode).endsWith('-job')
}

/** What an engine does not do whole. */
const engineRules: Readonly<Record<Exclude<EngineKind, 'rootless'>, Rules>> = {
  docker: {
    'services.*.annotations': quiet('handed to the runtime'),
    'services.*.deploy.restart_policy.delay': no('the delay grows from 100 ms by itself'),
    'services.*.deploy.restart_policy.max_attempts': partly(
      'with the condition on-failure; with others it is started again as often as it ends',
      isCounted,
    ),
    'services.*.deploy.restart_policy.window': no('every attempt counts'),
  },
  tscompose: {
    'services.*.annotations': quiet('kept and shown by inspect; io.tscompose.restart.… is honoured'),
    'services.*.blkio_config.weight': partly('needs a disk scheduler that knows weights'),
    'services.*.blkio_config.weight_device': partly('needs a disk scheduler that knows weights'),
    'services.*.cpu_rt_period': partly('needs cgroup v1 and a kernel with realtime groups'),
    'services.*.cpu_rt_runtime': partly('needs cgroup v1 and a kernel with realtime groups'),
    'services.*.deploy.resources.reservations.devices': quiet(devicesBySpecification),
    'services.*.devices': quiet(`paths, or VENDOR/CLASS=DEVICE: ${devicesBySpecification}`),
    'services.*.external_links': no('a container outside the stack is reached by its name on a shared network'),
    'services.*.gpus': quiet(devicesBySpecification),
    'services.*.logging.driver': partly(
      'json-file, local, syslog, journald, fluentd, gelf and none; awslogs, gcplogs and splunk are reached through fluentd',
      /^(json-file|local|syslog|journald|fluentd|gelf|none)$/,
    ),
    'services.*.logging.options': quiet(
      'a log is written to a file beside the container, from which drivers send it on, so that no container waits for a server: "mode", "max-buffer-size" and what says how a driver waits and tries again are checked, and change nothing',
    ),
    'services.*.networks.*.driver_opts': quiet(
      'name and sysctls of the interface (com.docker.network.endpoint.…); the bridge driver has no others',
    ),
    'services.*.runtime': partly('the built-in runtime only, also under the name runc', /^runc$/),
    'services.*.security_opt': quiet(
      'no-new-privileges, seccomp and systempaths; AppArmor and SELinux where the host has them',
    ),
    'services.*.storage_opt': no('the size of the writable layer is not limited'),
    'services.*.userns_mode': partly(
      'host, auto, private, service:NAME and container:NAME',
      /^(host|auto|private|(service|container):.+)$/,
    ),
    'services.*.volumes.*.bind.selinux': partly('where the host has SELinux'),
    'networks.*.enable_ipv4': partly('a network without IPv4 is refused', /^true$/),
    'networks.*.driver': partly('bridge', /^(bridge|default)$/),
    'networks.*.ipam.driver': partly('default', /^default$/),
    'networks.*.ipam.options': no('the built-in address pool has no options'),
    'volumes.*.driver': partly('local', /^local$/),
  },
}

/** The rules that hold with an engine. */
export function supportRules(engine: EngineKind): Rules {
  if (engine === 'rootless') return { ...supportRules('tscompose'), ...withoutRoot }
  return { ...clientRules, ...engineRules[engine] }
}

/** Of all `attributes` of the format, in their order. */
export function supportTable(attributes: readonly string[], engine: EngineKind = 'tscompose'): readonly Support[] {
  return tableOf(supportRules(engine), attributes)
}

/** Attributes whose use is worth a warning with an engine. */
export function doubtful(engine: EngineKind): readonly string[] {
  return Object.entries(supportRules(engine)).flatMap(([attribute, rule]) => (rule.quiet ? [] : [attribute]))
}

/** Whether anything used depends on which engine it is. */
export function dependsOnEngine(uses: readonly Use[]): boolean {
  return uses.some(use => !Object.hasOwn(clientRules, use.attribute))
}

/** One warning for each attribute that is used and not honoured, at the first place it is used. */
export function unsupported(uses: readonly Use[], engine: EngineKind): readonly Problem[] {
  return warningsOf(supportRules(engine), uses)
}
