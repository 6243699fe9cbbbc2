/** The names by which the services of a stack reach each other, and ports that are reached from outside. */
import type { Service } from '../../../model/service.ts'
import { filled, given } from '../../members.ts'
import { annotations, labelsOf, selectorOf } from '../labels.ts'
import { type JsonMap, manifest } from '../manifest.ts'
import { objectName } from '../names.ts'
import type { Input, Wanted } from './given-input.ts'

interface ServicePort {
  readonly name: string
  readonly port: number
  readonly targetPort: number
  readonly protocol: string
  readonly appProtocol: string | undefined
  /** The same on each node; undefined: the cluster chooses. */
  readonly nodePort?: number | undefined
}

/** A Service by the service's name, one for each other name, and one for what is published. */
export function serviceObjects(input: Input, service: Service): readonly Wanted[] {
  const { name, networks, deploy, exposure } = service
  const own = objectName(name)
  if (own !== name)
    input.notice(['services', name], `"${name}" is no name for a cluster: other services reach it as "${own}"`)
  const ports = innerPorts(service)
  const headless = ports.length === 0 || deploy?.endpointMode === 'dnsrr'
  const spec = given<JsonMap>({ type: 'ClusterIP', clusterIP: headless ? 'None' : undefined, ports: portsOf(ports) })
  const aliases = Object.values(networks).flatMap(({ aliases: names }) => names)
  const links = Object.values(input.project.services).flatMap(other =>
    other.links.flatMap(link => (link.service === name ? [link.alias] : [])),
  )
  const names = [...new Set([own, ...[...aliases, ...links].map(alias => objectName(alias))])]
  const objects = names.map(each => object(input, service, each, spec))
  const published = exposure === undefined ? [] : publishedPorts(input, service)
  if (published.length > 0)
    objects.push(
      object(input, service, `${own}-published`, given<JsonMap>({ type: exposure, ports: portsOf(published) })),
    )
  return objects
}

function object(input: Input, service: Service, name: string, spec: JsonMap): Wanted {
  const metadata = {
    name,
    namespace: input.home.namespace,
    labels: labelsOf(input.home, service.name),
    annotations: { [annotations.name]: service.name },
  }
  const selector = selectorOf(input.project.name, service.name)
  return {
    manifest: manifest('Service', metadata, { spec: { ...spec, selector } }),
    service: service.name,
    path: ['services', service.name],
  }
}

function portsOf(ports: readonly ServicePort[]): readonly JsonMap[] | undefined {
  return filled(ports.map(port => given<JsonMap>({ ...port })))
}

/** Those that the containers listen on, as far as the stack says. */
function innerPorts({ ports, expose }: Service): readonly ServicePort[] {
  const exposed = expose.flatMap(text => {
    const [port = '', protocol = 'tcp'] = text.split('/')
    return /^\d+$/.test(port) ? [{ target: Number(port), protocol, name: undefined, appProtocol: undefined }] : []
  })
  const found = new Map<string, ServicePort>()
  for (const { target, protocol, name, appProtocol } of [...ports, ...exposed]) {
    const key = `${target}/${protocol}`
    if (!found.has(key)) found.set(key, inner(target, target, { protocol, name, appProtocol }))
  }
  return [...found.values()]
}

function publishedPorts(input: Input, service: Service): readonly ServicePort[] {
  return service.ports.flatMap(port => {
    const { target, published, mode, path } = port
    if (mode === 'host') return []
    if (published !== undefined && !/^\d+$/.test(published)) {
      input.refuse(path, {
        code: 'port-range',
        message: `Cannot publish a port of service "${service.name}" by a range in a cluster`,
        hint: 'Name one port',
      })
      return []
    }
    const outer = published === undefined ? target : Number(published)
    const isOfNodes = service.exposure === 'NodePort'
    if (isOfNodes && published !== undefined && !isNodePort(outer))
      input.notice(
        path,
        `nodes have ports ${nodePorts.join(' to ')} for this: the cluster chooses one for ${published}`,
      )
    return [{ ...inner(outer, target, port), nodePort: isOfNodes && isNodePort(outer) ? outer : undefined }]
  })
}

/** What a cluster gives nodes where nobody has said otherwise. */
const nodePorts = [30000, 32767] as const

function isNodePort(port: number): boolean {
  return port >= nodePorts[0] && port <= nodePorts[1]
}

function inner(
  port: number,
  targetPort: number,
  {
    protocol,
    name,
    appProtocol,
  }: { readonly protocol: string; readonly name?: string | undefined; readonly appProtocol?: string | undefined },
): ServicePort {
  return {
    name: name === undefined ? `${protocol}-${port}` : objectName(name, 15),
    port,
    targetPort,
    protocol: protocol.toUpperCase(),
    appProtocol,
  }
}
