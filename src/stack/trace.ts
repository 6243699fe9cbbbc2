/** Where a value came from: each file, line, variable, include and extends on its way, for `config --trace`. */
import { Failure } from '../lib/failure.ts'
import { nearest, type Place } from '../lib/problems.ts'
import type { LoadedStack } from './load.ts'
import { type MapNode, type Node, placeOf, plain } from './tree.ts'

export interface TraceStop {
  /** What happened there: "set", "replaced", "filled in from ${TAG}", "default". */
  readonly action: string
  /** The value as it stood there. */
  readonly value: string
  readonly place: Place | undefined
}

/** The stops of the field at `key` ("services.web.environment.TAG"), oldest first; Failure not-found when there is none. */
export function trace(loaded: LoadedStack, key: string): readonly TraceStop[] {
  const stops = stopsOf(find(loaded, key))
  if (loaded.interpolated) return stops
  return stops.filter(stop => !stop.action.startsWith('filled in'))
}

function stopsOf(node: Node): readonly TraceStop[] {
  const history: Node[] = []
  // A merge may join branches that share their beginning: each is told once.
  for (let at: Node | undefined = node; at && !history.includes(at); at = at.previous) history.unshift(at)
  return history.flatMap((each, index) => stopsAt(each, index > 0))
}

function stopsAt(node: Node, replaces: boolean): readonly TraceStop[] {
  const place = placeOf(node, node.kind === 'scalar' ? 'value' : 'key')
  const verb = place === undefined ? 'default' : replaces ? 'replaced' : 'set'
  const how = node.origin ? `${verb}, ${node.origin}` : verb
  const stops: TraceStop[] = []
  if (node.kind === 'scalar' && node.template !== undefined && node.variables) {
    stops.push({ action: how, value: node.template, place })
    for (const variable of node.variables)
      stops.push({
        action: `filled in from ${variable.from ?? 'nowhere: it is not set'}`,
        value: `${variable.name}=${variable.value ?? ''}`,
        place: variable.place,
      })
    stops.push({ action: 'became', value: show(node), place })
  } else stops.push({ action: how, value: show(node), place })
  return stops
}

function show(node: Node): string {
  return node.kind === 'scalar' && typeof node.value === 'string' ? node.value : JSON.stringify(plain(node))
}

/** Keys may hold dots: at each step the longest key that fits. */
function find(loaded: LoadedStack, key: string): Node {
  let rest = key
  let at: Node = loaded.tree
  let reached = ''
  while (rest !== '') {
    const step: Step | undefined = next(at, rest) ?? (reached === 'services' ? next(loaded.disabled, rest) : undefined)
    if (!step) {
      const word = rest.split('.')[0]!
      const known = keysOf(at)
      const meant = nearest(word, known)
      throw new Failure(
        'not-found',
        `Cannot trace "${key}": ${reached === '' ? 'the stack' : `"${reached}"`} has no "${word}"`,
        {
          hint: meant ? `Did you mean "${meant}"?` : known.length > 0 ? `There is ${known.join(', ')}` : undefined,
        },
      )
    }
    reached = reached === '' ? step.key : `${reached}.${step.key}`
    at = step.node
    rest = rest.slice(step.key.length + 1)
  }
  if (at === loaded.tree) throw new Failure('invalid', 'Cannot trace nothing: name a field such as services.web.image')
  return at
}

interface Step {
  readonly key: string
  readonly node: Node
}

function next(node: Node, rest: string): Step | undefined {
  const fits = keysOf(node).filter(key => rest === key || rest.startsWith(`${key}.`))
  const key = fits.sort((a, b) => b.length - a.length)[0]
  if (key === undefined) return undefined
  const member = node.kind === 'list' ? node.items[Number(key)] : (node as MapNode).entries.get(key)
  return member ? { key, node: member } : undefined
}

function keysOf(node: Node): readonly string[] {
  if (node.kind === 'map') return [...node.entries.keys()]
  return node.kind === 'list' ? node.items.map((_, index) => String(index)) : []
}
