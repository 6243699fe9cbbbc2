/** How each attribute of the format is honoured by this runtime; `tscompose support` prints it, loading warns by it. */
import type { Problems } from '../lib/problems.ts'
import { stack } from './fields.ts'
import { longShape, type Shape } from './grammar.ts'
import { isNull, type Node, placeOf } from './tree.ts'

export interface Support {
  /** "services.*.ports.*.name": `*` stands for a name or an index. */
  readonly path: string
  readonly level: 'honoured' | 'partly' | 'no'
  /** Why not, or what part; undefined when honoured. */
  readonly note?: string
}

interface Rule {
  readonly level: 'partly' | 'no'
  readonly note: string
  /** Nothing is lost by leaving it out: `support` says so, loading does not. */
  readonly quiet?: boolean
}

const no = (note: string): Rule => ({ level: 'no', note })
const partly = (note: string): Rule => ({ level: 'partly', note })
const quiet = (note: string): Rule => ({ level: 'partly', note, quiet: true })

const oneMachine = 'containers run on this machine alone'
const noBuild = 'images are not built yet; the image must exist'
const windows = 'has a meaning on Windows only'

/** Everything not honoured whole, by path; a rule holds for what is below it too, the longest path wins. */
const rules: Readonly<Record<string, Rule>> = {
  version: quiet('obsolete, has no effect'),
  models: no('AI models are not run'),
  'services.*.annotations': partly('kept and shown by inspect; nothing else reads them'),
  'services.*.build': no(noBuild),
  'services.*.blkio_config': no('limits of block devices are not set yet'),
  'services.*.blkio_config.weight': partly('needs a disk scheduler that knows weights'),
  'services.*.cgroup_parent': no('all containers stand below one cgroup of this engine'),
  'services.*.cpu_count': no(windows),
  'services.*.cpu_percent': no(windows),
  'services.*.cpu_rt_period': no('realtime scheduling is not set up'),
  'services.*.cpu_rt_runtime': no('realtime scheduling is not set up'),
  'services.*.credential_spec': no(windows),
  'services.*.deploy.mode': no(oneMachine),
  'services.*.deploy.endpoint_mode': no('names always resolve to every container'),
  'services.*.deploy.labels': no('there is no service object that could carry them'),
  'services.*.deploy.update_config': no('containers are replaced without rolling yet'),
  'services.*.deploy.rollback_config': no('containers are replaced without rolling yet'),
  'services.*.deploy.placement': no(oneMachine),
  'services.*.deploy.resources.reservations.cpus': no('nothing schedules by it on one machine'),
  'services.*.deploy.resources.reservations.generic_resources': no(oneMachine),
  'services.*.deploy.resources.reservations.devices': no(
    'device requests are not served yet; list the nodes below "devices"',
  ),
  'services.*.deploy.restart_policy.delay': no('the delay grows from 100 ms by itself'),
  'services.*.deploy.restart_policy.window': no('a run of 10 seconds counts as started'),
  'services.*.develop': no('files are not watched yet'),
  'services.*.external_links': no('a container outside the stack is reached by its name on a shared network'),
  'services.*.gpus': no('device requests are not served yet; list the nodes below "devices"'),
  'services.*.isolation': no(windows),
  'services.*.logging.driver': partly('json-file and none'),
  'services.*.mac_address': partly('of the first network'),
  'services.*.models': no('AI models are not run'),
  'services.*.networks.*.driver_opts': no('the bridge driver has no options for one container'),
  'services.*.ports.*.app_protocol': quiet('for readers'),
  'services.*.ports.*.mode': quiet('every port is published on this host'),
  'services.*.ports.*.name': quiet('for readers'),
  'services.*.post_start': no('hooks are not run yet'),
  'services.*.pre_start': no('hooks are not run yet'),
  'services.*.pre_stop': no('hooks are not run yet'),
  'services.*.provider': no('other programs are not called to provide a service'),
  'services.*.pull_refresh_after': no('has no effect in Compose either; "pull_policy: every_…" has'),
  'services.*.runtime': partly('the built-in runtime only, also under the name runc'),
  'services.*.security_opt': partly(
    'no-new-privileges, seccomp and systempaths; AppArmor and SELinux where the host has them',
  ),
  'services.*.storage_opt': no('the size of the writable layer is not limited'),
  'services.*.use_api_socket': no('the socket of the engine is root on this machine; mount it yourself if you must'),
  'services.*.userns_mode': partly('"host"; containers have no user namespace yet'),
  'services.*.volumes.*.consistency': quiet('for other platforms'),
  'services.*.volumes.*.image': no('images cannot be mounted yet'),
  'services.*.volumes.*.bind.selinux': partly('where the host has SELinux'),
  'services.*.volumes.*.volume.labels': quiet('on anonymous volumes that are new'),
  'networks.*.attachable': quiet('every container may be attached'),
  'networks.*.enable_ipv4': partly('a network without IPv4 is refused'),
  'networks.*.driver': partly('bridge'),
  'networks.*.ipam.driver': partly('default'),
  'networks.*.ipam.options': no('the built-in address pool has no options'),
  'volumes.*.driver': partly('local'),
  'secrets.*.driver': no('drivers are for swarm'),
  'secrets.*.driver_opts': no('drivers are for swarm'),
  'secrets.*.template_driver': no('for swarm'),
  'secrets.*.labels': quiet('for readers'),
  'secrets.*.external': no('secrets of a swarm are not there'),
  'configs.*.template_driver': no('for swarm'),
  'configs.*.labels': quiet('for readers'),
  'configs.*.external': no('configs of a swarm are not there'),
}

/** Values for which a "partly" is the whole of it. */
const whole: Readonly<Record<string, RegExp>> = {
  'services.*.logging.driver': /^(json-file|none)$/,
  'services.*.runtime': /^runc$/,
  'services.*.userns_mode': /^host$/,
  'services.*.deploy.mode': /^replicated$/,
  'services.*.deploy.endpoint_mode': /^vip$/,
  'networks.*.driver': /^(bridge|default)$/,
  'networks.*.ipam.driver': /^default$/,
  'networks.*.enable_ipv4': /^true$/,
  'volumes.*.driver': /^local$/,
  'configs.*.external': /^false$/,
  'secrets.*.external': /^false$/,
  'services.*.use_api_socket': /^false$/,
  'services.*.security_opt': /./,
  'services.*.mac_address': /./,
  'services.*.annotations': /./,
}

/** All attributes, in the order of the schema. */
export function supportTable(): readonly Support[] {
  const table: Support[] = []
  for (const path of attributePaths()) {
    const rule = ruleFor(path)
    table.push(rule ? { path, level: rule.level, note: rule.note } : { path, level: 'honoured' })
  }
  return table
}

/** The path of every key the grammar knows. */
export function attributePaths(): readonly string[] {
  const paths: string[] = []
  const visit = (shape: Shape, path: string): void => {
    // Some attributes stand in the short form alone: `external.name`.
    if (shape.long) walk(shape, path)
    walk(longShape(shape), path)
  }
  const walk = (long: Shape, path: string): void => {
    if (long.kind === 'object')
      for (const [key, field] of Object.entries(long.fields)) {
        const at = path === '' ? key : `${path}.${key}`
        paths.push(at)
        visit(field, at)
      }
    else if (long.kind === 'map') visit(long.values, `${path}.*`)
    else if (long.kind === 'list') visit(long.items, `${path}.*`)
    else if (long.kind === 'choice') for (const option of long.options) visit(option, path)
  }
  visit(stack, '')
  return [...new Set(paths)]
}

function ruleFor(path: string): Rule | undefined {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.'))))
    if (Object.hasOwn(rules, at)) return rules[at]
  return undefined
}

interface Branch {
  readonly next: Map<string, Branch>
  path?: string
}

const trunk: Branch = { next: new Map() }
for (const [path, rule] of Object.entries(rules)) {
  if (rule.quiet) continue
  let at = trunk
  for (const key of path.split('.')) {
    const branch: Branch = at.next.get(key) ?? { next: new Map() }
    at.next.set(key, branch)
    at = branch
  }
  at.path = path
}

/** One warning for each attribute that is used and not honoured, at the first place it is used. */
export function warnUnsupported(tree: Node, problems: Problems): void {
  const found = new Map<string, { node: Node; path: readonly string[]; count: number }>()
  const visit = (node: Node, branch: Branch, path: readonly string[]): void => {
    if (branch.path !== undefined && !isNull(node) && node.source !== undefined && !isWhole(branch.path, node)) {
      const known = found.get(branch.path)
      if (known) known.count++
      else found.set(branch.path, { node, path, count: 1 })
    }
    if (node.kind === 'scalar' || branch.next.size === 0) return
    const any = branch.next.get('*')
    if (any) {
      const members = node.kind === 'map' ? node.entries : node.items.entries()
      for (const [key, member] of members) visit(member, any, [...path, String(key)])
    } else if (node.kind === 'map')
      for (const [key, inner] of branch.next) {
        const member = node.entries.get(key)
        if (member) visit(member, inner, [...path, key])
      }
  }
  visit(tree, trunk, [])
  for (const [attribute, { node, path, count }] of found) {
    const { level, note } = rules[attribute]!
    const others = count > 1 ? ` (here and in ${count - 1} more ${count === 2 ? 'place' : 'places'})` : ''
    problems.add({
      severity: 'warning',
      code: 'unsupported',
      place: placeOf(node, 'key'),
      path,
      message: `"${path.at(-1)}" is ${level === 'no' ? 'not honoured' : 'honoured in part'}${others}: ${note}`,
    })
  }
}

function isWhole(attribute: string, node: Node): boolean {
  const pattern = Object.hasOwn(whole, attribute) ? whole[attribute] : undefined
  if (!pattern) return false
  return node.kind !== 'scalar' || pattern.test(String(node.value))
}
