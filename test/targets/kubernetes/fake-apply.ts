/** Server-side apply as an API server does it, as far as the objects of a stack need it: held against one by recorded.test.ts. */
import type { FieldsV1, ManagedFields } from '../../../src/targets/kubernetes/live.ts'
import type { Json, JsonMap } from '../../../src/targets/kubernetes/manifest.ts'
import { isMap, keysOf } from '../../../src/targets/kubernetes/plan/merge-keys.ts'

/** Maps that are kept as one thing. */
const whole = new Set(['selector', 'nodeSelector', 'podSelector', 'labelSelector', 'nodeSelectorTerms'])

type Owned = Map<string, FieldsV1>

export interface Conflict {
  readonly manager: string
  readonly field: string
}

/** Paths of fields as FieldsV1 has them: "f:spec f:template k:{…} f:image". */
export function fieldsOf(value: JsonMap, path: readonly string[] = []): FieldsV1 {
  const fields: Record<string, FieldsV1> = {}
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined || (path.length === 0 && ['apiVersion', 'kind'].includes(key))) continue
    if (path.length === 1 && path[0] === 'metadata' && ['name', 'namespace'].includes(key)) continue
    const below = fieldOf(member, [...path, key])
    if (below) fields[`f:${key}`] = below
  }
  return fields
}

function fieldOf(value: Json, path: readonly string[]): FieldsV1 | undefined {
  const name = path.at(-1) ?? ''
  if (isMap(value)) {
    if (whole.has(name) || Object.keys(value).length === 0) return {}
    const below = fieldsOf(value, path)
    return Object.keys(below).length === 0 ? undefined : below
  }
  if (!Array.isArray(value)) return {}
  const keys = keysOf(name, value as readonly Json[], path)
  if (!keys) return {}
  return Object.fromEntries(
    (value as readonly JsonMap[]).map(entry => {
      const key = JSON.stringify(Object.fromEntries(keys.map(each => [each, entry[each] ?? 'TCP'])))
      return [`k:${key}`, { '.': {}, ...fieldsOf(entry, [...path, '*']) }]
    }),
  )
}

function* leaves(fields: FieldsV1, path: readonly string[] = []): Iterable<readonly string[]> {
  for (const [key, below] of Object.entries(fields)) {
    const at = [...path, key]
    if (Object.keys(below).length === 0) yield at
    else yield* leaves(below, at)
  }
}

export interface Applying {
  readonly manager: string
  readonly force: boolean
  readonly body: JsonMap
  readonly live: JsonMap
  readonly managed: readonly ManagedFields[]
  readonly time: string
}

/** What it then is, and who owns what; or whom it would take fields from. */
export function applied({
  manager,
  force,
  body,
  live,
  managed,
  time,
}: Applying):
  | { readonly object: JsonMap; readonly managed: readonly ManagedFields[] }
  | { readonly conflicts: readonly Conflict[] } {
  const wants = fieldsOf(body)
  const own = managed.find(each => each.manager === manager && each.operation === 'Apply')
  const others = managed.filter(each => each !== own)
  const conflicts: Conflict[] = []
  const taken: Owned = new Map()
  for (const path of leaves(wants)) {
    if (path.at(-1) === '.') continue
    const [has, wanted] = [valueAt(live, path), valueAt(body, path)]
    if (has === undefined || JSON.stringify(has) === JSON.stringify(wanted)) continue
    for (const other of others)
      if (holds(other.fieldsV1 ?? {}, path)) {
        conflicts.push({ manager: other.manager ?? '', field: fieldText(path) })
        taken.set(path.join('\n'), {})
      }
  }
  if (conflicts.length > 0 && !force) return { conflicts }
  const object = structuredClone(live) as Record<string, Json>
  for (const path of leaves(own?.fieldsV1 ?? {}))
    if (!holds(wants, path) && !others.some(each => holds(each.fieldsV1 ?? {}, path))) removeAt(object, path)
  merge(object, body, [])
  const rest = others.map(each => ({ ...each, fieldsV1: without(each.fieldsV1 ?? {}, taken, []) }))
  const ours = {
    manager,
    operation: 'Apply',
    apiVersion: String(body['apiVersion']),
    fieldsType: 'FieldsV1',
    fieldsV1: wants,
  }
  const same = own && JSON.stringify(sorted(own.fieldsV1)) === JSON.stringify(sorted(wants))
  return { object, managed: [...rest, { ...ours, time: same ? (own.time ?? time) : time }] }
}

function without(fields: FieldsV1, taken: Owned, path: readonly string[]): FieldsV1 {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, below]) => {
      const at = [...path, key]
      if (taken.has(at.join('\n'))) return []
      const kept = without(below, taken, at)
      return Object.keys(below).length > 0 && Object.keys(kept).length === 0 ? [] : [[key, kept]]
    }),
  )
}

export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  )
}

function holds(fields: FieldsV1, path: readonly string[]): boolean {
  let at: FieldsV1 | undefined = fields
  for (const key of path) {
    at = at[key]
    if (at === undefined) return false
  }
  return true
}

function entry(list: readonly Json[], key: string): number {
  const keys = JSON.parse(key.slice(2)) as JsonMap
  return (list as readonly JsonMap[]).findIndex(each =>
    Object.entries(keys).every(([name, value]) => (each[name] ?? 'TCP') === value),
  )
}

function valueAt(value: Json | undefined, path: readonly string[]): Json | undefined {
  let at = value
  for (const key of path) {
    if (key === '.') return at
    if (key.startsWith('f:')) at = isMap(at) ? at[key.slice(2)] : undefined
    else at = Array.isArray(at) ? at[entry(at, key)] : undefined
  }
  return at
}

function removeAt(object: Record<string, Json>, path: readonly string[]): void {
  const parent = valueAt(object, path.slice(0, -1))
  const last = path.at(-1) ?? ''
  if (last.startsWith('f:') && isMap(parent)) delete (parent as Record<string, Json>)[last.slice(2)]
  else if (last === '.') {
    const list = valueAt(object, path.slice(0, -2))
    const at = Array.isArray(list) ? entry(list, path.at(-2) ?? '') : -1
    if (at >= 0) (list as Json[]).splice(at, 1)
    if (Array.isArray(list) && list.length === 0) removeAt(object, path.slice(0, -2))
  }
}

function merge(into: Record<string, Json>, from: JsonMap, path: readonly string[]): void {
  for (const [key, value] of Object.entries(from)) {
    if (value === undefined) continue
    const at = [...path, key]
    const has = into[key]
    const keys = Array.isArray(value) ? keysOf(key, value as readonly Json[], at) : undefined
    if (isMap(value) && isMap(has) && !whole.has(key)) merge(has as Record<string, Json>, value, at)
    else if (keys && Array.isArray(has)) {
      for (const each of value as readonly JsonMap[]) {
        const known = (has as JsonMap[]).find(other => keys.every(name => other[name] === each[name]))
        if (known) merge(known as Record<string, Json>, each, at)
        else (has as Json[]).push(each)
      }
    } else into[key] = structuredClone(value) as Json
  }
}

/** ".spec.template.spec.containers[name=\"web\"].image" */
function fieldText(path: readonly string[]): string {
  return path
    .filter(key => key !== '.')
    .map(key => {
      if (key.startsWith('f:')) return `.${key.slice(2)}`
      const pairs = Object.entries(JSON.parse(key.slice(2)) as JsonMap).map(
        ([name, value]) => `${name}=${JSON.stringify(value)}`,
      )
      return `[${pairs.join(',')}]`
    })
    .join('')
}
