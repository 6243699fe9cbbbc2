/**
 * The shape of a write: the kind, which fields it has, and of what sort each value is. A server that takes one takes all of the same shape, but for
 * what it says of values beside each other (a reservation above its limit) and of what others have (a port of its nodes that is taken, a quota).
 */
import { stableHash } from '../../../lib/stable-json.ts'
import type { Live } from '../live.ts'
import type { Json, Manifest } from '../manifest.ts'
import { differences } from './differences.ts'
import { isMap } from './merge-keys.ts'

/** Of one that is new, all that it has; of one that is there, what differs. */
export function shapeOf(wanted: Manifest, live: Live | undefined): string {
  const { kind, apiVersion: _, ...content } = wanted
  if (live === undefined || live.metadata.deletionTimestamp !== undefined)
    return [kind, live ? 'leaving' : 'new', ...sorted(leaves(content as unknown as Json, []))].join('\n')
  const found = differences(wanted, live).flatMap(({ path, from, to, by }) => {
    const what = `${from === undefined ? 'more' : to === undefined ? 'less' : 'other'}${by === undefined ? '' : ' by another'}`
    return [...leaves(to ?? null, sortedPath(path))].map(leaf => `${what} ${leaf}`)
  })
  return [kind, ...sorted(found)].join('\n')
}

function sorted(texts: Iterable<string>): readonly string[] {
  return [...new Set(texts)].sort()
}

/** Members that are lists whose entries a path names, or maps of names that anybody chooses. */
const chosen: ReadonlySet<string> = new Set([
  'containers',
  'initContainers',
  'env',
  'volumes',
  'volumeMounts',
  'ports',
  'topologySpreadConstraints',
  'hostAliases',
  'labels',
  'annotations',
  'nodeSelector',
  'matchLabels',
  'data',
  'binaryData',
])

function sortedPath(path: readonly string[]): readonly string[] {
  return path.map((part, i) => (chosen.has(path[i - 1] ?? '') ? keySort(part, path[i - 1]) : part))
}

/** Those of ours stand for themselves: what differs in one of them is another thing than what differs in a label of the stack. */
function keySort(key: string, of: string | undefined): string {
  if (key.startsWith('tscompose.dev/')) return key
  return of === 'env' ? sortOfVariable(key) : /^\d{1,5}\/(TCP|UDP|SCTP)$/.test(key) ? 'port' : sortOfText(key)
}

function* leaves(value: Json, path: readonly string[]): Iterable<string> {
  const last = path.at(-1) ?? ''
  if (Array.isArray(value)) {
    if (value.length === 0) yield `${path.join('/')} none`
    for (const each of value as readonly Json[]) yield* leaves(each, [...path, '*'])
  } else if (isMap(value)) {
    const members = Object.entries(value).filter(([, each]) => each !== undefined)
    if (members.length === 0) yield `${path.join('/')} none`
    for (const [key, each] of members) yield* leaves(each!, [...path, chosen.has(last) ? keySort(key, last) : key])
  } else yield `${path.join('/')} ${sortOf(value as Plain, path)}`
}

/** Whatever is written there is taken. */
const free: ReadonlySet<string> = new Set(['value', 'command', 'args', 'annotations', 'data', 'binaryData'])

type Plain = string | number | boolean | null

function sortOf(value: Plain, path: readonly string[]): string {
  if (typeof value === 'number') return sortOfNumber(value)
  if (typeof value !== 'string') return String(value)
  const [last = '', parent = '', list = ''] = path.toReversed()
  if (free.has(last) || free.has(parent)) return 'text'
  // who may run what is often said by registry
  if (last === 'image' || last === 'reference') return registryOf(value)
  if (last === 'name' && list === 'env') return sortOfVariable(value)
  if (amounts.has(last) || amounts.has(parent)) return /^\d+(m|k|[KMGTPE]i?)?$/.test(value) ? 'amount' : value
  return sortOfText(value)
}

const amounts: ReadonlySet<string> = new Set(['limits', 'requests', 'sizeLimit'])

function sortOfVariable(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? 'variable' : name
}

/** Bounds that fields have: ports end at 65535, other numbers where they no longer fit. */
function sortOfNumber(value: number): string {
  if (!Number.isSafeInteger(value)) return String(value)
  if (value <= 0) return value === 0 ? '0' : 'negative'
  return value < 2 ** 16 ? 'small' : value < 2 ** 31 ? 'large' : 'huge'
}

/** Words of the API, such as "NodePort" and "SIGTERM", and what is of none of these sorts, stand for themselves. */
const sorts: readonly (readonly [string, RegExp])[] = [
  ['label', /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/],
  ['name', /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+$/],
  ['qualified', /^(?=.{1,253}\/)[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/],
  ['path', /^(\/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$/],
]

function sortOfText(text: string): string {
  return sorts.find(([, pattern]) => pattern.test(text))?.[0] ?? (text.length > 40 ? stableHash(text) : text)
}

/** "registry:5000", or what stands for the usual one. */
function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/')
  const hasName = rest.length > 0 && /[.:]|^localhost$/.test(first)
  return `${hasName ? first : 'usual'} ${/^[^\s]+$/.test(image) ? 'image' : image}`
}
