/** Networks as NetworkPolicies: a pod is reached by those that are on a network of its own, and where it is published by all. */
import type { Service } from '../../../model/service.ts'
import { given } from '../../members.ts'
import { annotations, labels, labelsOf, selectorOf } from '../labels.ts'
import { type JsonMap, manifest } from '../manifest.ts'
import { objectName } from '../names.ts'
import type { Input, Wanted } from './given-input.ts'
import { networkName } from './pod.ts'

export function networkPolicies(input: Input): readonly Wanted[] {
  const { project, services } = input
  const used = [...new Set(services.flatMap(({ networks }) => Object.keys(networks)))].sort()
  const anyInternal = used.some(key => project.networks[key]?.internal)
  const policies = used.flatMap(key => {
    const network = project.networks[key]
    if (!network) return []
    const path = ['networks', key]
    const label = `${labels.network}${networkName(input, key)}`
    const members = { matchLabels: { [label]: '' } }
    const egress = network.internal ? [{ to: [{ podSelector: members }] }, names] : anyInternal ? [{}] : undefined
    return [
      policy(input, {
        name: networkName(input, key),
        original: network.name,
        path,
        spec: given<JsonMap>({
          podSelector: members,
          policyTypes: egress ? ['Ingress', 'Egress'] : ['Ingress'],
          ingress: [{ from: [{ podSelector: members }] }],
          egress,
        }),
      }),
    ]
  })
  return [...policies, ...services.flatMap(service => ofService(input, service))]
}

/** Names are looked up in the cluster whatever the network. */
const names: JsonMap = {
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
}

function ofService(input: Input, service: Service): readonly Wanted[] {
  const { name, ports, networkMode } = service
  const podSelector = { matchLabels: selectorOf(input.project.name, name) }
  const of = { original: name, path: ['services', name], service: name }
  if (networkMode.kind === 'none')
    return [
      policy(input, {
        ...of,
        name: `${objectName(name)}-none`,
        spec: { podSelector, policyTypes: ['Ingress', 'Egress'] },
      }),
    ]
  if (ports.length === 0 || networkMode.kind !== 'networks') return []
  const unique = new Map(
    ports.map(({ target, protocol }) => [`${target}/${protocol}`, { protocol: protocol.toUpperCase(), port: target }]),
  )
  return [
    policy(input, {
      ...of,
      name: `${objectName(name)}-published`,
      spec: { podSelector, policyTypes: ['Ingress'], ingress: [{ ports: [...unique.values()] }] },
    }),
  ]
}

interface Policy {
  readonly name: string
  readonly original: string
  readonly path: readonly string[]
  readonly service?: string
  readonly spec: JsonMap
}

function policy(input: Input, { name, original, path, service, spec }: Policy): Wanted {
  const metadata = {
    name,
    namespace: input.home.namespace,
    labels: labelsOf(input.home, service),
    annotations: { [annotations.name]: original },
  }
  return given({ manifest: manifest('NetworkPolicy', metadata, { spec }), service, path })
}
