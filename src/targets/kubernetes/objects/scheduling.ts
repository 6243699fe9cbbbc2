/** On which nodes the pods of a service may run, and how they are spread. */
import type { Service } from '../../../model/service.ts'
import { filled, filledMap, given } from '../../members.ts'
import { selectorOf } from '../labels.ts'
import type { JsonMap } from '../manifest.ts'
import type { Input } from './given-input.ts'

export function scheduling(input: Input, service: Service): JsonMap {
  const { deploy, platform, name } = service
  const [os, architecture] = platform?.split('/') ?? []
  const matchLabels = selectorOf(input.project.name, name)
  const most = deploy?.placement.maxReplicasPerNode
  if (most !== undefined && most > 1)
    input.notice(
      ['services', name, 'deploy', 'placement', 'max_replicas_per_node'],
      'a cluster knows one replica a node at most, or any number: replicas are spread over the nodes as evenly as they can be',
    )
  const matchExpressions = (deploy?.placement.constraints ?? []).flatMap((text, i) => {
    const found = expression(text)
    if (!found)
      input.refuse(['services', name, 'deploy', 'placement', 'constraints', String(i)], {
        code: 'placement',
        message: `Cannot place service "${name}" by "${text}" in a cluster`,
        hint: 'There are node.role, node.hostname, node.platform.os, node.platform.arch and node.labels.NAME, each with == or !=',
      })
    return found ? [found] : []
  })
  const evenly = most === undefined || most === 1 ? [] : ['kubernetes.io/hostname']
  const spread = [...(deploy?.placement.spread.map(topology) ?? []), ...evenly]
  return given<JsonMap>({
    nodeSelector: filledMap(given({ 'kubernetes.io/os': os, 'kubernetes.io/arch': architecture })),
    affinity: filledMap(
      given<JsonMap>({
        nodeAffinity:
          matchExpressions.length === 0
            ? undefined
            : { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } },
        podAntiAffinity:
          most === 1
            ? {
                requiredDuringSchedulingIgnoredDuringExecution: [
                  { labelSelector: { matchLabels }, topologyKey: 'kubernetes.io/hostname' },
                ],
              }
            : undefined,
      }),
    ),
    topologySpreadConstraints: filled(
      [...new Set(spread)].map(topologyKey => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels },
      })),
    ),
  })
}

/** What a swarm calls a node's property → the label of a cluster's node. */
const properties: Readonly<Record<string, string>> = {
  'node.hostname': 'kubernetes.io/hostname',
  'node.id': 'kubernetes.io/hostname',
  'node.platform.os': 'kubernetes.io/os',
  'node.platform.arch': 'kubernetes.io/arch',
}

function topology(spread: string): string {
  return labelOf(spread) ?? spread
}

function labelOf(property: string): string | undefined {
  return properties[property] ?? /^node\.labels\.(.+)$/.exec(property)?.[1]
}

function expression(text: string): JsonMap | undefined {
  const [, property = '', operator, value = ''] = /^\s*(\S+?)\s*(==|!=)\s*(\S+)\s*$/.exec(text) ?? []
  const isEqual = operator === '=='
  if (property === 'node.role') {
    const isManager = (value === 'manager') === isEqual
    return { key: 'node-role.kubernetes.io/control-plane', operator: isManager ? 'Exists' : 'DoesNotExist' }
  }
  const key = labelOf(property)
  return key === undefined ? undefined : { key, operator: isEqual ? 'In' : 'NotIn', values: [value] }
}
