/** A service as a swarm has it, field by field in the stack's words: both what is wanted and what is there go through here. */
import type { ServiceSpec } from '../../../api/swarm-objects.ts'
import { stableHash } from '../../../lib/stable-json.ts'
import { type Change, hashText, looksSecret } from '../../../plan/change.ts'

/** Field → value as text. What is empty is not there: an engine gives back some of what nobody has said. */
export type SpecFields = ReadonlyMap<string, string>

/** Members of a spec → the stack's word for them; the longest counts. */
const names: Readonly<Record<string, string>> = {
  Labels: 'deploy.labels',
  Mode: 'deploy.mode',
  'Mode.Replicated.Replicas': 'deploy.replicas',
  'Mode.ReplicatedJob': 'deploy.replicas',
  UpdateConfig: 'deploy.update_config',
  RollbackConfig: 'deploy.rollback_config',
  'EndpointSpec.Mode': 'deploy.endpoint_mode',
  'EndpointSpec.Ports': 'ports',
  'TaskTemplate.RestartPolicy': 'deploy.restart_policy',
  'TaskTemplate.Placement': 'deploy.placement',
  'TaskTemplate.Placement.Platforms': 'platform',
  'TaskTemplate.Resources.Limits': 'deploy.resources.limits',
  'TaskTemplate.Resources.Reservations': 'deploy.resources.reservations',
  'TaskTemplate.Networks': 'networks',
  'TaskTemplate.LogDriver': 'logging',
  'TaskTemplate.ForceUpdate': 'force-recreate',
  'TaskTemplate.ContainerSpec.Image': 'image',
  'TaskTemplate.ContainerSpec.Labels': 'labels',
  'TaskTemplate.ContainerSpec.Command': 'entrypoint',
  'TaskTemplate.ContainerSpec.Args': 'command',
  'TaskTemplate.ContainerSpec.Hostname': 'hostname',
  'TaskTemplate.ContainerSpec.Env': 'environment',
  'TaskTemplate.ContainerSpec.Dir': 'working_dir',
  'TaskTemplate.ContainerSpec.User': 'user',
  'TaskTemplate.ContainerSpec.Groups': 'group_add',
  'TaskTemplate.ContainerSpec.Privileges': 'security_opt',
  'TaskTemplate.ContainerSpec.Init': 'init',
  'TaskTemplate.ContainerSpec.StopSignal': 'stop_signal',
  'TaskTemplate.ContainerSpec.StopGracePeriod': 'stop_grace_period',
  'TaskTemplate.ContainerSpec.TTY': 'tty',
  'TaskTemplate.ContainerSpec.OpenStdin': 'stdin_open',
  'TaskTemplate.ContainerSpec.ReadOnly': 'read_only',
  'TaskTemplate.ContainerSpec.Mounts': 'volumes',
  'TaskTemplate.ContainerSpec.Healthcheck': 'healthcheck',
  'TaskTemplate.ContainerSpec.Hosts': 'extra_hosts',
  'TaskTemplate.ContainerSpec.DNSConfig.Nameservers': 'dns',
  'TaskTemplate.ContainerSpec.DNSConfig.Search': 'dns_search',
  'TaskTemplate.ContainerSpec.DNSConfig.Options': 'dns_opt',
  'TaskTemplate.ContainerSpec.Secrets': 'secrets',
  'TaskTemplate.ContainerSpec.Configs': 'configs',
  'TaskTemplate.ContainerSpec.Sysctls': 'sysctls',
  'TaskTemplate.ContainerSpec.CapabilityAdd': 'cap_add',
  'TaskTemplate.ContainerSpec.CapabilityDrop': 'cap_drop',
  'TaskTemplate.ContainerSpec.Ulimits': 'ulimits',
  'TaskTemplate.ContainerSpec.OomScoreAdj': 'oom_score_adj',
}

/** Members that are told in seconds. */
const durations = /^(Delay|Monitor|Window|Interval|Timeout|StartPeriod|StartInterval|StopGracePeriod)$/
/** Members whose `false` is another thing than nothing. */
const threefold: ReadonlySet<string> = new Set(['TaskTemplate.ContainerSpec.Init'])
/** What only the engine or the swarm can tell. */
const unsaid: ReadonlySet<string> = new Set(['SecretID', 'ConfigID'])

/** `networkName`: of an id. */
export function specFields(spec: ServiceSpec, networkName: (target: string) => string): SpecFields {
  const fields = new Map<string, string>()
  const { Name: _, Mode, TaskTemplate, ...rest } = spec
  const [kind = 'Replicated'] = Object.keys(Mode)
  fields.set('deploy.mode', kind.replace(/(?<=.)Job$/, '-job').toLowerCase())
  const { Networks = [], ...task } = TaskTemplate
  for (const { Target, Aliases, DriverOpts } of Networks ?? [])
    fields.set(`networks.${networkName(Target)}`, [...(Aliases ?? []), ...pairs(DriverOpts)].join(' ') || 'attached')
  walk({ ...rest, Mode, TaskTemplate: task }, [], fields)
  return fields
}

/** In what they differ, sorted by field; what may be secret is told by a hash. */
export function specChanges(wanted: SpecFields, found: SpecFields): readonly Change[] {
  const paths = [...new Set([...wanted.keys(), ...found.keys()])].filter(path => wanted.get(path) !== found.get(path))
  return paths.sort().map(path => {
    const [from, to] = [found.get(path), wanted.get(path)]
    const isSecret =
      !/^(secrets|configs)\./.test(path) && [from, to].some(text => text !== undefined && looksSecret(path, text))
    const shown = (text: string | undefined) => (text === undefined || !isSecret ? text : hashText(text))
    return {
      path,
      ...(from === undefined ? {} : { from: shown(from)! }),
      ...(to === undefined ? {} : { to: shown(to)! }),
    }
  })
}

/** Whether new tasks take the place of those that run: all but what the swarm itself keeps. */
export function replacesTasks(
  wanted: ServiceSpec,
  found: ServiceSpec,
  networkName: (target: string) => string,
): boolean {
  const key = (spec: ServiceSpec) => {
    const { Labels: _, UpdateConfig: _1, RollbackConfig: _2, ...rest } = spec
    const fields = new Map(specFields({ ...rest, TaskTemplate: { ...rest.TaskTemplate, Placement: {} } }, networkName))
    fields.delete('deploy.replicas')
    return stableHash([...fields].sort())
  }
  return key(wanted) !== key(found)
}

function walk(value: unknown, path: readonly string[], fields: Map<string, string>): void {
  const member = path.at(-1) ?? ''
  if (value === undefined || value === null || value === '' || value === 0 || unsaid.has(member)) return
  if (value === false && !threefold.has(path.join('.'))) return
  if (Array.isArray(value)) walkList(value, path, fields)
  else if (typeof value === 'object')
    for (const [key, each] of Object.entries(value)) walk(each, [...path, key], fields)
  else if (path.join('.') === 'TaskTemplate.ContainerSpec.Privileges.Seccomp.Profile')
    fields.set(fieldName(path), hashText(String(value)))
  else fields.set(fieldName(path), durations.test(member) ? `${Number(value) / 1e9}s` : String(value))
}

function walkList(list: readonly unknown[], path: readonly string[], fields: Map<string, string>): void {
  if (list.length === 0) return
  const isEnvironment = path.join('.') === 'TaskTemplate.ContainerSpec.Env'
  const plain = list.filter(item => typeof item === 'string')
  if (isEnvironment)
    for (const item of plain) {
      const [, name = '', value] = /^([^=]*)=?(.*)$/s.exec(item) ?? []
      fields.set(`environment.${name}`, item.includes('=') ? (value ?? '') : '(unset)')
    }
  else if (plain.length === list.length) fields.set(fieldName(path), plain.join(' '))
  else for (const item of list) walkItem(item, path, fields)
}

/** An entry goes by what it is about, so that another order is no change. */
function walkItem(item: unknown, path: readonly string[], fields: Map<string, string>): void {
  const parts = new Map<string, string>()
  walk(item, [], parts)
  const key = [
    'Target',
    'DiscreteResourceSpec.Kind',
    'File.Name',
    'TargetPort',
    'Spread.SpreadDescriptor',
    'Name',
    'OS',
  ].find(each => parts.has(each))
  const name = key === undefined ? '' : parts.get(key)!
  const port = parts.has('TargetPort') ? `/${parts.get('Protocol')}/${parts.get('PublishedPort') ?? ''}` : ''
  const others = [...parts].filter(([each]) => each !== key).sort(([a], [b]) => (a < b ? -1 : 1))
  const [only] = others
  const isCount = others.length === 1 && only?.[0] === 'DiscreteResourceSpec.Value'
  const text = isCount ? only![1] : others.map(([each, value]) => `${each}=${value}`).join(' ')
  fields.set(`${fieldName(path)}.${name}${port}`, text || name)
}

function fieldName(path: readonly string[]): string {
  for (let length = path.length; length > 0; length--) {
    const name = names[path.slice(0, length).join('.')]
    if (name === undefined) continue
    const rest = path.slice(length).map(part => (isWord(name) ? snake(part) : part))
    return [name, ...rest].join('.')
  }
  return path.join('.')
}

/** Below these stand the stack's own names, not the engine's. */
function isWord(name: string): boolean {
  return !['labels', 'deploy.labels', 'sysctls'].includes(name)
}

function snake(part: string): string {
  return /^[A-Z][A-Za-z]*$/.test(part) ? part.replace(/(?<=[a-z])[A-Z]/g, '_$&').toLowerCase() : part
}

function pairs(map: Readonly<Record<string, string>> | undefined | null): readonly string[] {
  return Object.entries(map ?? {}).map(([key, value]) => `${key}=${value}`)
}
