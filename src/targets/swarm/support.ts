/** How each attribute of the format is honoured in a swarm. */
import { no, noLimits, partly, quiet, type Rules, tableOf, warningsOf } from '../support.ts'
import type { TargetSupport } from '../target.ts'

const task = 'a swarm gives no task such a thing'
const windows = 'has a meaning on Windows only'
const hooks = 'hooks are run by whoever starts a container, which in a swarm is each node'
const addresses = 'a swarm chooses the addresses of tasks'
const counted = 'a swarm counts them as generic_resources, by the names that its nodes are given'

const rules: Rules = {
  ...noLimits(['memory', 'memoryReservation', 'cpus', 'pids', 'oomScoreAdj'], task),
  version: quiet('obsolete, has no effect'),
  models: no('AI models are not run'),
  'services.*.annotations': no(task),
  'services.*.attach': quiet('up shows no output: tscompose logs -f does'),
  'services.*.blkio_config': no(task),
  'services.*.build': quiet(
    'nodes pull: "x-registry" of the stack or --push builds and pushes it, pinned by its digest',
  ),
  'services.*.cgroup': no(task),
  'services.*.cgroup_parent': no(task),
  'services.*.container_name': no('tasks are named by their service, slot and id'),
  'services.*.cpu_count': no(windows),
  'services.*.cpu_percent': no(windows),
  'services.*.cpu_period': no('"cpus" limits by whole and parts of processors'),
  'services.*.cpu_quota': no('"cpus" limits by whole and parts of processors'),
  'services.*.credential_spec': no(windows),
  'services.*.depends_on': quiet(
    'in this order, and when its condition holds, while it is brought up; nodes that start again start tasks in any order',
  ),
  'services.*.depends_on.*.restart': no('a swarm updates each service for itself', /^false$/),
  'services.*.deploy.resources.reservations.devices': no(counted),
  'services.*.develop': quiet('watch is for one machine'),
  'services.*.device_cgroup_rules': no(task),
  'services.*.devices': no(task),
  'services.*.domainname': no(task),
  'services.*.expose': quiet('tasks on one network reach all ports of each other'),
  'services.*.external_links': no('names are those of services on the same network'),
  'services.*.extra_hosts': quiet('an address each; host-gateway is for one machine'),
  'services.*.gpus': no(counted),
  'services.*.ipc': no(task),
  'services.*.isolation': no(windows, /^default$/),
  'services.*.links': no('services reach each other by name, and by the aliases of their networks'),
  'services.*.mac_address': no(addresses),
  'services.*.models': no('AI models are not run'),
  'services.*.network_mode': partly('"host"; otherwise tasks are on networks', /^host$/),
  'services.*.networks.*.gw_priority': no(addresses),
  'services.*.networks.*.interface_name': no(addresses),
  'services.*.networks.*.ipv4_address': no(addresses),
  'services.*.networks.*.ipv6_address': no(addresses),
  'services.*.networks.*.link_local_ips': no(addresses),
  'services.*.networks.*.mac_address': no(addresses),
  'services.*.networks.*.priority': no(addresses),
  'services.*.oom_kill_disable': no(task),
  'services.*.pid': no(task),
  'services.*.ports.*.app_protocol': quiet('for readers'),
  'services.*.ports.*.host_ip': no('a port is published on every address of a node'),
  'services.*.ports.*.published': partly('one port; a range is refused', /^\d+$/),
  'services.*.post_start': no(hooks),
  'services.*.pre_start': no(hooks),
  'services.*.pre_stop': no(hooks),
  'services.*.privileged': no('a task has the capabilities of cap_add at most', /^false$/),
  'services.*.provider': no('other programs are not called to provide a service'),
  'services.*.pull_policy': quiet('the digest that the registry tells is pinned; each node pulls what it has not'),
  'services.*.pull_refresh_after': no('has no effect in Compose either'),
  'services.*.restart': quiet('where nothing is said, a swarm starts tasks again: its condition is "any"'),
  'services.*.runtime': no(task),
  'services.*.security_opt': partly(
    'no-new-privileges, seccomp, label and "apparmor=unconfined"; other profiles of AppArmor, and systempaths, are not sent',
    /^(no-new-privileges|seccomp[=:]|label[=:]|apparmor[=:]unconfined$)/,
  ),
  'services.*.storage_opt': no(task),
  'services.*.tmpfs': partly(
    'of its options size, mode, exec and noexec; nosuid and nodev stand without a word',
    /^[^:]*(:((size|mode)=[^,]*|(no)?exec|nosuid|nodev|rw)(,((size|mode)=[^,]*|(no)?exec|nosuid|nodev|rw))*)?$/,
  ),
  'services.*.use_api_socket': no('the socket of an engine is root on its node', /^false$/),
  'services.*.userns_mode': no(task),
  'services.*.uts': no(task),
  'services.*.volumes.*.bind.create_host_path': quiet('a swarm makes no folder on its nodes'),
  'services.*.volumes.*.bind.recursive': partly('"disabled"; the others are not kept', /^(enabled|disabled)$/),
  'services.*.volumes.*.bind.selinux': no(task),
  'services.*.volumes.*.consistency': quiet('for other platforms'),
  'services.*.volumes.*.image': no('refused: a task has binds, volumes and tmpfs'),
  'services.*.volumes_from': no(task),
  'networks.*.driver': partly('overlay', /^(overlay|default)$/),
  volumes: quiet('made on each node where a task needs it; down leaves them'),
}

export const swarmSupport: TargetSupport = {
  table: attributes => tableOf(rules, attributes),
  doubtful: Object.entries(rules).flatMap(([attribute, rule]) => (rule.quiet ? [] : [attribute])),
  warnings: uses => warningsOf(rules, uses),
  // a port is the service's, not its tasks'
  untrue: ['port-of-several', 'name-clash'],
}
