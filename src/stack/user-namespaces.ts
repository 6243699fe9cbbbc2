/** `x-userns`, of the stack: the `userns_mode` of every service that has not spoken of it. */
import type { Problems } from '../lib/problems.ts'
import { get, type MapNode, type Node, placeOf, scalar, textAt } from './tree.ts'

const key = 'x-userns'
const words = ['auto', 'private', 'host'] as const

export function chooseUserNamespaces(root: MapNode, problems: Problems): void {
  const found = root.entries.get(key)
  const services = get(root, 'services')
  if (found === undefined || services?.kind !== 'map') return
  const chosen = found.kind === 'scalar' && words.some(word => word === found.value) ? found : undefined
  if (chosen === undefined) {
    const value = found.kind === 'scalar' ? JSON.stringify(found.value) : `a ${found.kind}`
    problems.add({
      severity: 'error',
      code: 'bad-value',
      place: placeOf(found),
      path: [key],
      message: `Cannot use ${value} as "${key}": it should be auto, private or host`,
    })
    return
  }
  for (const [name, service] of services.entries) {
    if (service.kind !== 'map' || service.entries.has('userns_mode')) continue
    const needsHost = chosen.value === 'host' ? undefined : ofHost(service)
    if (needsHost)
      problems.add({
        severity: 'error',
        code: 'conflicting-keys',
        place: placeOf(needsHost.node, 'key'),
        path: ['services', name, needsHost.key],
        message: `Cannot give service "${name}" a user namespace: "${needsHost.key}" needs that of the host`,
        hint: 'Write "userns_mode: host" in the service',
      })
    else service.entries.set('userns_mode', scalar(chosen.value, chosen))
  }
}

/** The key by which a service asks for what only the user namespace of the host can have. */
function ofHost(service: MapNode): { readonly key: string; readonly node: Node } | undefined {
  const privileged = service.entries.get('privileged')
  if (privileged?.kind === 'scalar' && privileged.value === true) return { key: 'privileged', node: privileged }
  const shared = ['network_mode', 'pid'].find(each => textAt(service, each) === 'host')
  const node = shared === undefined ? undefined : service.entries.get(shared)
  return shared === undefined || node === undefined ? undefined : { key: shared, node }
}
