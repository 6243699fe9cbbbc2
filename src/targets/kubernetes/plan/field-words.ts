/** What a stack calls the fields of objects, so that a plan reads as the file does. */
import { type Change, hashText, looksSecret } from '../../../plan/change.ts'
import type { Json, Kind } from '../manifest.ts'
import type { Difference } from './differences.ts'

/** Beginning of a path below the pods' template → the stack's word; the longest counts. `*`: any name. */
const podWords: Readonly<Record<string, string>> = {
  'metadata.labels': 'labels',
  'metadata.annotations': 'labels',
  'spec.containers.*.image': 'image',
  'spec.containers.*.command': 'entrypoint',
  'spec.containers.*.args': 'command',
  'spec.containers.*.env': 'environment',
  'spec.containers.*.ports': 'ports',
  'spec.containers.*.resources': 'deploy.resources',
  'spec.containers.*.volumeMounts': 'volumes',
  'spec.containers.*.workingDir': 'working_dir',
  'spec.containers.*.imagePullPolicy': 'pull_policy',
  'spec.containers.*.readinessProbe': 'healthcheck',
  'spec.containers.*.livenessProbe': 'healthcheck',
  'spec.containers.*.startupProbe': 'healthcheck',
  'spec.containers.*.lifecycle.postStart': 'post_start',
  'spec.containers.*.lifecycle.preStop': 'pre_stop',
  'spec.containers.*.lifecycle.stopSignal': 'stop_signal',
  'spec.containers.*.securityContext.readOnlyRootFilesystem': 'read_only',
  'spec.containers.*.securityContext.privileged': 'privileged',
  'spec.containers.*.securityContext.capabilities.add': 'cap_add',
  'spec.containers.*.securityContext.capabilities.drop': 'cap_drop',
  'spec.containers.*.securityContext.runAsUser': 'user',
  'spec.containers.*.securityContext.runAsGroup': 'user.group',
  'spec.containers.*.stdin': 'stdin_open',
  'spec.containers.*.tty': 'tty',
  'spec.initContainers': 'pre_start',
  'spec.volumes': 'volumes',
  'spec.hostname': 'hostname',
  'spec.hostAliases': 'extra_hosts',
  'spec.dnsConfig': 'dns',
  'spec.terminationGracePeriodSeconds': 'stop_grace_period',
  'spec.affinity': 'deploy.placement',
  'spec.topologySpreadConstraints': 'deploy.placement',
  'spec.nodeSelector': 'platform',
  'spec.securityContext.sysctls': 'sysctls',
  'spec.securityContext.supplementalGroups': 'group_add',
}

/** Of what has pods. */
const workloadWords: Readonly<Record<string, string>> = {
  'metadata.annotations': 'deploy.labels',
  'spec.replicas': 'deploy.replicas',
  'spec.parallelism': 'deploy.replicas',
  'spec.strategy': 'deploy.update_config',
  'spec.updateStrategy': 'deploy.update_config',
  'spec.minReadySeconds': 'deploy.update_config.monitor',
  'spec.backoffLimit': 'restart',
  'spec.schedule': 'x-schedule',
}

const templates = ['spec.template.', 'spec.jobTemplate.spec.template.']

/** Labels and annotations that follow from the rest. */
export function isOwnMark(path: readonly string[]): boolean {
  const [key] = path.slice(-1)
  return key?.startsWith('tscompose.dev/') === true && (path.includes('labels') || path.includes('annotations'))
}

export function changeOf(kind: Kind, { path, from, to, by }: Difference): Change {
  const field = fieldOf(path)
  const isSecret =
    kind === 'Secret' || [from, to].some(value => value !== undefined && looksSecret(field, textOf(value)))
  const shown = (value: Json) => (isSecret ? hashText(value) : textOf(value))
  return {
    path: field,
    ...(from === undefined ? {} : { from: by === undefined ? shown(from) : `${shown(from)} (by ${by})` }),
    ...(to === undefined ? {} : { to: shown(to) }),
  }
}

function fieldOf(path: readonly string[]): string {
  const whole = path.join('.')
  const template = templates.find(each => whole.startsWith(each))
  const rest = template === undefined ? path : path.slice(template.split('.').length - 1)
  const table = template === undefined ? workloadWords : podWords
  for (let length = rest.length; length > 0; length--) {
    const begin = rest.slice(0, length)
    const word =
      table[begin.join('.')] ??
      table[begin.map((part, i) => (i > 0 && begin[i - 1] === 'containers' ? '*' : part)).join('.')]
    if (word !== undefined)
      return [
        word,
        ...rest.slice(length).filter(part => part !== 'value' && part !== 'exec' && part !== 'command'),
      ].join('.')
  }
  return whole
}

function textOf(value: Json): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every(each => typeof each === 'string')) return value.join(' ')
  return JSON.stringify(value)
}
