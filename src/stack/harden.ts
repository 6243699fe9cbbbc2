/**
 * `x-security: hardened`, of the stack or of a service: every wall that the service has not spoken of is put up. What it
 * has spoken of stays, so that one line can open what the program needs.
 */
import type { Problems } from '../lib/problems.ts'
import { get, list, type MapNode, type Node, placeOf, type ScalarNode, scalar, textAt } from './tree.ts'

const key = 'x-security'
const words = ['hardened', 'default'] as const

/** Enough for most servers, far too few for a fork bomb. */
const processes = 512

/** Where programs write that have no folder of their own; memory, when the root is read-only. */
const scratch = ['/tmp', '/run']

export function harden(root: MapNode, problems: Problems): void {
  const ofStack = choice(root, [], problems)
  const services = get(root, 'services')
  if (services?.kind !== 'map') return
  for (const [name, service] of services.entries) {
    if (service.kind !== 'map') continue
    const chosen = choice(service, ['services', name], problems) ?? ofStack
    if (chosen?.value === 'hardened') hardenService(service, chosen, { name, problems })
  }
}

/** The node that says which; undefined when nothing does. */
function choice(node: MapNode, path: readonly string[], problems: Problems): ScalarNode | undefined {
  const found = node.entries.get(key)
  if (found === undefined) return undefined
  if (found.kind === 'scalar' && words.some(word => word === found.value)) return found
  const value = found.kind === 'scalar' ? JSON.stringify(found.value) : `a ${found.kind}`
  problems.add({
    severity: 'error',
    code: 'bad-value',
    place: placeOf(found),
    path: [...path, key],
    message: `Cannot use ${value} as "${key}": it should be hardened or default`,
  })
  return undefined
}

function hardenService(
  service: MapNode,
  at: ScalarNode,
  { name, problems }: { readonly name: string; readonly problems: Problems },
): void {
  const { entries } = service
  const privileged = entries.get('privileged')
  if (privileged?.kind === 'scalar' && privileged.value === true) {
    problems.add({
      severity: 'error',
      code: 'conflicting-keys',
      place: placeOf(privileged, 'key'),
      path: ['services', name, 'privileged'],
      message: `Cannot harden service "${name}": "privileged" takes all its walls down`,
      hint: `Remove "privileged", or write "${key}: default" in the service`,
    })
    return
  }
  entries.set(
    'cap_drop',
    withItem(entries.get('cap_drop'), scalar('ALL', at), text => /^(cap_)?all$/i.test(text)),
  )
  entries.set(
    'security_opt',
    withItem(entries.get('security_opt'), scalar('no-new-privileges:true', at), text =>
      text.startsWith('no-new-privileges'),
    ),
  )
  if (!entries.has('pids_limit') && get(service, 'deploy', 'resources', 'limits', 'pids') === undefined)
    entries.set('pids_limit', scalar(processes, at))
  if (!entries.has('read_only')) {
    entries.set('read_only', scalar(true, at))
    addScratch(service, at)
  }
  const ports = entries.get('ports')
  if (ports?.kind === 'list')
    for (const [index, port] of ports.items.entries())
      if (port.kind === 'map' && !port.entries.has('host_ip'))
        ports.items[index] = { ...port, entries: new Map(port.entries).set('host_ip', scalar('127.0.0.1', at)) }
}

function withItem(node: Node | undefined, item: ScalarNode, isThere: (text: string) => boolean): Node {
  const items = node?.kind === 'list' ? node.items : []
  const there = items.some(each => each.kind === 'scalar' && isThere(String(each.value)))
  return there ? node! : { ...list([...items, item], node ?? item) }
}

function addScratch(service: MapNode, at: ScalarNode): void {
  const tmpfs = service.entries.get('tmpfs')
  const written = tmpfs?.kind === 'list' ? tmpfs.items : []
  const taken = new Set(
    [
      ...written.map(each => (each.kind === 'scalar' ? String(each.value).split(':')[0]! : '')),
      ...itemsOf(service.entries.get('volumes')).map(mount => textAt(mount, 'target') ?? ''),
    ].map(path => path.replace(/(?<=.)\/+$/, '')),
  )
  const missing = scratch.filter(path => !taken.has(path)).map(path => scalar(path, at))
  if (missing.length > 0) service.entries.set('tmpfs', { ...list([...written, ...missing], tmpfs ?? at) })
}

function itemsOf(node: Node | undefined): readonly Node[] {
  return node?.kind === 'list' ? node.items : []
}
