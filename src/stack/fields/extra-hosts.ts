/** extra_hosts: ["name=address"] or { name: address }, sorted by name. */
import { type Context, choice, listOf, mapTo, type Shape, text } from '../grammar.ts'
import { isNull, list, type Node, type ScalarNode } from '../tree.ts'
import { refuse, textOf } from './forms.ts'
import { hostEntry } from './values.ts'

export const extraHosts: Shape = choice(
  [mapTo(choice([text(), listOf(text())]), undefined, { names: /./ }), listOf(text(), undefined, { unique: true })],
  'Names for the container\'s hosts file; the address may be "host-gateway".',
  {
    examples: [['somehost=162.242.195.82'], { somehost: '162.242.195.82' }],
    canonical: toPairs,
    long: listOf(text(undefined, { judge: hostEntry }), 'Names and addresses.', { merge, finish }),
  },
)

function toPairs(node: Node, context: Context): Node {
  if (node.kind !== 'map') return node
  const items: Node[] = []
  for (const [host, value] of node.entries)
    for (const address of value.kind === 'list' ? value.items : [value])
      if (isNull(address))
        refuse(context, value, {
          code: 'wrong-type',
          path: [...context.path, host],
          message: `Cannot leave the address of "${host}" empty: it should be a string or a list`,
        })
      else if (address.kind === 'scalar')
        items.push({ ...address, value: `${host}=${textOf(address)}`, text: undefined, keyOffset: -1 })
  items.sort((a, b) => (textOf(a as ScalarNode) < textOf(b as ScalarNode) ? -1 : 1))
  return list(items, node)
}

function merge(base: Node, over: Node): Node {
  if (isNull(over)) return base
  if (base.kind !== 'list' || over.kind !== 'list') return over
  const known = new Set(base.items.map(item => (item.kind === 'scalar' ? textOf(item) : '')))
  return list([...base.items, ...over.items.filter(item => item.kind !== 'scalar' || !known.has(textOf(item)))], over)
}

/** To "host=address", sorted by host, then by address. */
function finish(node: Node, context: Context): Node {
  if (node.kind !== 'list') return node
  const pairs: Array<{ host: string; node: Node }> = []
  for (const item of node.items) {
    if (item.kind !== 'scalar') continue
    const spec = textOf(item)
    const pair = parseHost(spec)
    if (!pair) {
      refuse(context, item, {
        code: 'bad-host',
        message: `Cannot use extra host "${spec}": it should be "name=address"`,
      })
      continue
    }
    for (const address of pair.addresses)
      pairs.push({ host: pair.host, node: { ...item, value: `${pair.host}=${address}`, text: undefined } })
  }
  const order = (pair: { host: string; node: Node }) => `${pair.host}\0${textOf(pair.node as ScalarNode)}`
  pairs.sort((a, b) => (order(a) < order(b) ? -1 : 1))
  return list(
    pairs.map(pair => pair.node),
    node,
  )
}

/** "name=address" or "name:address", also with several addresses between commas; brackets around an address are taken off. */
export function parseHost(spec: string): { host: string; addresses: readonly string[] } | undefined {
  const match = /^([^=]+)=(.*)$/s.exec(spec) ?? /^([^:]+):(.*)$/s.exec(spec)
  if (!match?.[1] || match[2] === undefined) return undefined
  const addresses = match[2]
    .split(',')
    .map(address => (address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address))
  return { host: match[1], addresses }
}
