/** ports: "8080:80", 80, "127.0.0.1:8000-8010:8000-8010/udp" or a mapping; one entry may become many. */
import { isIP } from 'node:net'
import { parsePortRange, parseProtocol, protocols } from '../../lib/ports.ts'
import { type Context, choice, int, listOf, object, type Shape, text } from '../grammar.ts'
import { get, list, mapOf, type Node, textAt } from '../tree.ts'
import { refuse, textOf, toText } from './forms.ts'
import { portRange, word } from './values.ts'

const long = object(
  {
    name: text('A name for people.'),
    mode: text('`ingress` or `host`.', { judge: word(['ingress', 'host']) }),
    host_ip: text('Address of the host to listen on; all of them when left out.'),
    target: int('Port in the container.', { min: 0, max: 65535 }),
    published: text('Port of the host, or a range to take a free one from.', {
      also: ['integer'],
      finish: toText,
      judge: portRange,
    }),
    protocol: text('`tcp`, `udp` or `sctp`.', { judge: word(protocols) }),
    app_protocol: text('What is spoken on it: http, for example.'),
  },
  'One published port.',
  { finish: needsTarget },
)

export const ports: Shape = listOf(
  choice([int(undefined, { strict: true, loose: true }), text(), long]),
  'Ports of the container that the host passes on: "host:container", "address:host:container/protocol", ranges, or mappings.',
  {
    examples: [['8080:80', '127.0.0.1:5432:5432']],
    canonical: expand,
    long: listOf(long, 'Published ports.', { key: portKey }),
  },
)

function needsTarget(node: Node, context: Context): Node {
  if (!get(node, 'target'))
    refuse(context, node, { code: 'missing-key', message: 'Cannot leave out "target": it must be set here' })
  return node
}

function portKey(item: Node): string | undefined {
  if (item.kind === 'scalar') return textOf(item)
  const part = (key: string, otherwise: string) => {
    const node = get(item, key)
    if (node?.kind !== 'scalar' || node.value === null) return otherwise
    // In the reference a number is not the port that the same digits in quotes are.
    return key === 'published' && typeof node.value === 'number' ? `#${textOf(node)}` : textOf(node)
  }
  return [part('host_ip', '0.0.0.0'), part('published', ''), part('target', ''), part('protocol', 'tcp')].join(' ')
}

function expand(node: Node, context: Context): Node {
  if (node.kind !== 'list') return node
  const items: Node[] = []
  for (const [index, item] of node.items.entries()) {
    context.path.push(String(index))
    if (item.kind === 'scalar' && context.lenient && typeof parsePort(textOf(item)) === 'string') {
      context.path.pop()
      return node
    }
    if (item.kind === 'scalar') items.push(...expandShort(item, context))
    else {
      const address = textAt(item, 'host_ip')
      if (address !== undefined && isIP(address) === 0)
        refuse(context, get(item, 'host_ip')!, {
          code: 'bad-address',
          message: `Cannot use host address "${address}": it is not an IP address`,
        })
      items.push(item)
    }
    context.path.pop()
  }
  return list(items, node)
}

function expandShort(item: Node & { kind: 'scalar' }, context: Context): Node[] {
  const spec = textOf(item)
  const parsed =
    typeof item.value === 'number' && item.text !== undefined
      ? 'it is a number with a fraction or exponent'
      : parsePort(spec)
  if (typeof parsed === 'string') {
    refuse(context, item, {
      code: 'bad-port',
      message: `Cannot use port "${spec}": ${parsed}`,
      hint: 'Write "host:container", for example "8080:80"',
    })
    return []
  }
  return parsed.map(port =>
    mapOf(
      {
        mode: 'ingress',
        host_ip: port.hostIp,
        target: port.target,
        published: port.published,
        protocol: port.protocol,
      },
      { source: item.source, offset: item.offset, keyOffset: -1 },
    ),
  )
}

interface ParsedPort {
  readonly hostIp?: string
  readonly published?: string
  readonly target: number
  readonly protocol: string
}

/** The ports a short form stands for, or what is wrong with it. */
export function parsePort(spec: string): ParsedPort[] | string {
  const match = /^(?:(\[[^\]]*\]|[^:[\]]*):)?(?:([^:]*):)?([^:]*)$/.exec(spec)
  if (!match) return /:.*:.*:/.test(spec) ? 'an IPv6 address must stand in brackets' : 'it has too many colons'
  // One colon: what stands before it is the host's port, not an address.
  const [address, host, rest] =
    match[2] === undefined ? ['', match[1] ?? '', match[3]!] : [match[1] ?? '', match[2], match[3]!]
  const hostIp = address.replace(/^\[|\]$/g, '')
  if (hostIp !== '' && (isIP(hostIp) === 0 || hostIp.includes('%'))) return `"${hostIp}" is not an IP address`
  const [containerPart = '', protocolPart = ''] = rest.split('/')
  const protocol = parseProtocol(protocolPart)
  if (containerPart === '') return 'it names no container port'
  if (!protocol) return `protocol "${protocolPart.toLowerCase()}" is unknown, should be tcp, udp or sctp`
  const container = parsePortRange(containerPart)
  if (!container) return `"${containerPart}" is not a port (0–65535) or range`
  const published = host === '' ? undefined : parsePortRange(host)
  if (host !== '' && !published) return `"${host}" is not a port (0–65535) or range`
  if (container[0] === 0) return 'port 0 cannot be reached'
  const size = container[1] - container[0]
  if (published && published[1] - published[0] !== size && size > 0)
    return `ranges "${host}" and "${containerPart}" are not of equal length`
  const found: ParsedPort[] = []
  for (let i = 0; i <= size; i++) {
    const from = published && published[0] + i
    const range =
      published && size === 0 && published[0] !== published[1] ? `${from}-${published[1]}` : from?.toString()
    found.push({ hostIp: hostIp || undefined, published: range, target: container[0] + i, protocol })
  }
  return found.sort((a, b) => (`${a.target}/` < `${b.target}/` ? -1 : 1))
}
