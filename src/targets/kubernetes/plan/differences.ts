/** In what an object differs from what is wanted of it: what we say that is another there, and what we have said and say no more. */

import { fieldManager } from '../labels.ts'
import type { FieldsV1, Live, ManagedFields } from '../live.ts'
import type { Json, JsonMap, Manifest } from '../manifest.ts'
import { isMap, keysOf } from './merge-keys.ts'

export interface Difference {
  /** Members by name, entries of lists by their keys: ["spec", "template", "spec", "containers", "web", "image"]. */
  readonly path: readonly string[]
  readonly from: Json | undefined
  readonly to: Json | undefined
  /** Who else has last said it: "kubectl-edit". */
  readonly by?: string
}

/** What a manager has said of an object, whatever the cluster does with it. */
const compared = ['metadata', 'spec', 'data', 'binaryData', 'immutable', 'type'] as const
const identity: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'name', 'namespace'])

export function differences(wanted: Manifest, live: Live): readonly Difference[] {
  const found: Difference[] = []
  const others = (live.metadata.managedFields ?? []).filter(each => !isOurs(each))
  const by = (path: readonly string[]) =>
    others.filter(each => owns(each.fieldsV1, path)).map(each => each.manager ?? '?')
  const tell = (path: readonly string[], from: Json | undefined, to: Json | undefined) => {
    const names = [...new Set(by(path))].join(', ')
    found.push({ path, from, to, ...(names === '' ? {} : { by: names }) })
  }
  const own = (live.metadata.managedFields ?? []).find(isOurs)?.fieldsV1
  for (const member of compared) {
    const [has, wants] = [live[member] as Json | undefined, (wanted as unknown as JsonMap)[member]]
    // what is not to be seen is as we have said it: that we have said it is to be seen, and what is immutable has stayed so
    const isUnseen =
      live.hasContent === false && member !== 'metadata' && owns(own, [member]) && owns(own, ['immutable'])
    if (wants !== undefined && !isUnseen) compare(has, wants, { path: [member], tell })
  }
  if (own)
    for (const { path, value } of saidNoMore(own, wanted as unknown as JsonMap, live as unknown as JsonMap))
      tell(path, value, undefined)
  return found
}

/** Whether what we have applied is meant: not what a program called so has written in another way. */
function isOurs({ manager, operation, subresource }: ManagedFields): boolean {
  return manager === fieldManager && operation === 'Apply' && !subresource
}

interface At {
  readonly path: readonly string[]
  readonly tell: (path: readonly string[], from: Json | undefined, to: Json | undefined) => void
}

/** A member that is not wanted is the cluster's, or somebody else's, to say. */
function compare(has: Json | undefined, wants: Json, at: At): void {
  const { path, tell } = at
  if (Array.isArray(wants)) compareList(has, wants as readonly Json[], at)
  else if (isMap(wants)) {
    if (has !== undefined && !isMap(has)) tell(path, has, wants)
    else
      for (const [key, value] of Object.entries(wants))
        if (value !== undefined && !(path.length === 1 && path[0] === 'metadata' && identity.has(key)))
          compare((has as JsonMap | undefined)?.[key], value, { path: [...path, key], tell })
  } else if (has !== wants) tell(path, has, wants)
}

function compareList(has: Json | undefined, wants: readonly Json[], { path, tell }: At): void {
  const list = Array.isArray(has) ? (has as readonly Json[]) : []
  const keys = keysOf(path.at(-1) ?? '', wants, path)
  if (keys) {
    for (const entry of wants as readonly JsonMap[]) {
      const there = (list as readonly JsonMap[]).find(each => keys.every(key => each[key] === entry[key]))
      compare(there, entry, { path: [...path, nameOf(keys, entry)], tell })
    }
    return
  }
  // one thing: what it holds is told as a whole
  const isSame = list.length === wants.length && wants.every((entry, i) => holds(list[i], entry))
  if (!isSame) tell(path, has, wants)
}

/** "web"; "80/TCP". */
function nameOf(keys: readonly string[], entry: JsonMap): string {
  return keys.map(key => String(entry[key])).join('/')
}

function holds(has: Json | undefined, wants: Json): boolean {
  let same = true
  compare(has, wants, {
    path: [],
    tell: () => {
      same = false
    },
  })
  return same
}

interface Said {
  readonly path: readonly string[]
  readonly value: Json | undefined
}

/** Of the fields that we have applied, those that are not wanted any more; one that is gone with all below it is told once. */
function saidNoMore(own: FieldsV1, wanted: JsonMap, live: JsonMap): readonly Said[] {
  const found: Said[] = []
  const visit = (fields: FieldsV1, wants: Json | undefined, has: Json | undefined, path: readonly string[]): void => {
    for (const [key, below] of Object.entries(fields)) {
      if (key === '.') continue
      const kind = key.slice(0, 2)
      const name = key.slice(2)
      if (kind === 'v:') continue
      const step = kind === 'k:' ? entryOf(name) : memberOf(name)
      const [wantsIt, hasIt] = [step.in(wants), step.in(has)]
      const at = [...path, step.name]
      if (wantsIt === undefined) {
        if (hasIt !== undefined) found.push({ path: at, value: hasIt })
      } else if (isWhole(below)) found.push(...more(hasIt, wantsIt, at))
      else visit(below, wantsIt, hasIt, at)
    }
  }
  visit(own, wanted, live, [])
  return found
}

/** A field that is kept as one thing, whatever is in it. */
function isWhole(fields: FieldsV1): boolean {
  return Object.keys(fields).every(key => key === '.')
}

/** Members of a map that is one thing which are not wanted. */
function more(has: Json | undefined, wants: Json, path: readonly string[]): readonly Said[] {
  if (!isMap(has) || !isMap(wants)) return []
  return Object.entries(has).flatMap(([key, value]) => {
    const wanted = wants[key]
    if (wanted === undefined) return [{ path: [...path, key], value }]
    return more(value, wanted, [...path, key])
  })
}

interface Step {
  readonly name: string
  readonly in: (value: Json | undefined) => Json | undefined
}

function memberOf(name: string): Step {
  return { name, in: value => (isMap(value) ? value[name] : undefined) }
}

/** {"containerPort":80,"protocol":"TCP"} */
function entryOf(text: string): Step {
  const keys = JSON.parse(text) as JsonMap
  return {
    name: Object.values(keys).join('/'),
    in: value =>
      Array.isArray(value)
        ? (value as readonly JsonMap[]).find(each => Object.keys(keys).every(key => each[key] === keys[key]))
        : undefined,
  }
}

/** Whether somebody has said what is at a path, or anything that it is part of as one thing. */
function owns(fields: FieldsV1 | undefined, path: readonly string[]): boolean {
  let at = fields
  for (const name of path) {
    if (at === undefined) return false
    const next = Object.entries(at).find(([key]) =>
      key.startsWith('f:') ? key.slice(2) === name : key.startsWith('k:') && entryOf(key.slice(2)).name === name,
    )
    if (!next) return false
    at = next[1]
    if (isWhole(at)) return true
  }
  return at !== undefined
}
