/** One query to one response: own names from the registry, the rest from other servers. */
import { allSilent, type ForwardOptions, forward } from './forward.ts'
import { addressAnswers, nameAnswer, type Query, rcodes, readQuery, refusal, reverseAddress } from './message.ts'
import type { Names } from './names.ts'

export interface View {
  readonly names: Names
  readonly containerId: string
  /** Where names that are not ours are asked; undefined: nowhere, the container has no way out. */
  readonly outside: Omit<ForwardOptions, 'tcp'> | undefined
}

export interface Resolved {
  readonly response: Buffer
  /** The query it answers, when that could be read. */
  readonly query?: Query
  /** The names are ours: all the responses there are, of which `response` is one. */
  readonly own?: readonly Buffer[]
}

/** Undefined when nothing is to be sent. */
export async function resolve(bytes: Buffer, view: View, tcp: boolean): Promise<Resolved | undefined> {
  const query = readQuery(bytes)
  if (query === undefined) return undefined
  if (typeof query === 'number') return { response: refusal(bytes, query) }
  const own = ownAnswers(query, view)
  if (own) return { query, own, response: own[Math.floor(Math.random() * own.length)]! }
  return { query, response: await outsideAnswer(query, view, tcp) }
}

function ownAnswers(query: Query, { names, containerId }: View): readonly Buffer[] | undefined {
  const known = names.resolve(containerId, query.name)
  if (known) return addressAnswers(query, known)
  const address = query.type === 'PTR' ? reverseAddress(query.name) : undefined
  const name = address === undefined ? undefined : names.reverse(containerId, address)
  return name === undefined ? undefined : [nameAnswer(query, name)]
}

async function outsideAnswer(query: Query, { names, outside }: View, tcp: boolean): Promise<Buffer> {
  const isSingle = !query.name.replace(/\.$/, '').includes('.') && query.name !== '.' && query.name !== ''
  // a container's name that this one cannot see, or whose container is stopped, is nobody's business outside
  if (isSingle && names.isKnown(query.name)) return refusal(query.bytes, rcodes.unknown)
  if (!outside || outside.upstreams.length === 0) return refusal(query.bytes, isSingle ? rcodes.unknown : rcodes.failed)
  if (isSingle && allSilent(outside.upstreams)) return refusal(query.bytes, rcodes.unknown)
  const response = await forward(query, { ...outside, tcp })
  return response ?? refusal(query.bytes, isSingle ? rcodes.unknown : rcodes.failed)
}
