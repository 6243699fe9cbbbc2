/** Pods of a stack as `ps` shows them. */
import type { Part } from '../target.ts'
import { annotations, labels } from './labels.ts'
import type { Live, LivePod } from './live.ts'
import type { ObservedCluster } from './observed.ts'

export function partsOf({ pods, objects }: ObservedCluster): readonly Part[] {
  return pods
    .map(pod => {
      const { metadata, spec, status } = pod
      const service = serviceName(pod)
      const state = stateOf(pod)
      return {
        Name: metadata.name,
        Service: service,
        Image: metadata.annotations?.[annotations.image] ?? spec?.containers?.[0]?.image ?? '',
        Node: spec?.nodeName ?? '',
        State: state.word,
        Status: state.why === undefined ? state.word : `${state.word}: ${state.why}`,
        Ports: portsOf(pod, objects.get(`Service ${metadata.labels?.[labels.service]}-published`)),
        ID: metadata.uid ?? status?.phase ?? metadata.name,
      }
    })
    .sort((a, b) => (a.Service + a.Name < b.Service + b.Name ? -1 : 1))
}

/** As the stack calls it. */
export function serviceName({ metadata }: LivePod): string {
  return metadata.annotations?.[annotations.name] ?? metadata.labels?.[labels.service] ?? ''
}

function stateOf({ metadata, status }: LivePod): { readonly word: string; readonly why?: string } {
  if (metadata.deletionTimestamp !== undefined) return { word: 'stopping' }
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  const waiting = all
    .map(({ state }) => state?.waiting)
    .find(each => each !== undefined && each.reason !== 'PodInitializing')
  const phase = (status?.phase ?? 'Unknown').toLowerCase()
  if (waiting) return { word: 'waiting', why: [waiting.reason, waiting.message].filter(each => each).join(': ') }
  if (phase === 'running')
    return status?.containerStatuses?.every(({ ready }) => ready)
      ? { word: 'running' }
      : { word: 'running', why: 'not ready' }
  const ended = all.map(({ state }) => state?.terminated).find(each => each !== undefined && each.exitCode !== 0)
  if (ended) return { word: phase, why: `exit code ${ended.exitCode}` }
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (phase === 'pending' && scheduled?.status === 'False' && scheduled.message)
    return { word: phase, why: scheduled.message }
  return { word: phase }
}

/** "8080->80/tcp" where a node or a load balancer has it, otherwise "80/tcp". */
function portsOf({ spec }: LivePod, published: Live | undefined): string {
  const outer = (published?.spec?.['ports'] ?? []) as readonly {
    readonly port: number
    readonly targetPort?: number
    readonly nodePort?: number
  }[]
  const type = published?.spec?.['type']
  const texts = (spec?.containers?.[0]?.ports ?? []).map(({ containerPort, hostPort, protocol = 'TCP' }) => {
    const found = outer.find(({ targetPort }) => targetPort === containerPort)
    const at = hostPort ?? (type === 'NodePort' ? found?.nodePort : found?.port)
    return `${at === undefined ? '' : `${at}->`}${containerPort}/${protocol.toLowerCase()}`
  })
  return texts.join(', ')
}
