/** Which fields of a container differ from what is wanted, each with its old and new value. */
import { type Change, hashText, looksSecret } from '../../../plan/change.ts'
import { type FieldValue, fieldValue } from './field-values.ts'
import { differing, type Fields } from './fields.ts'
import type { Made } from './made.ts'

export interface FieldChangesInput {
  /** Hashes of the fields it was made with; undefined when it was not made by us. */
  readonly before: Fields | undefined
  readonly after: Fields
  /** What runs; undefined when nobody has looked: then the changes have no values. */
  readonly made: Made | undefined
  readonly wanted: Made
}

/** In order of the fields. What a container has of its image alone is no change: the hashes say which fields the stack has changed. */
export function fieldChanges({ before, after, made, wanted }: FieldChangesInput): readonly Change[] {
  const fields = before ? differing(before, after) : Object.keys(after).sort()
  return fields.flatMap(field => {
    if (/^(?:configs|secrets)\.|^labels\.$/.test(field)) return [hashes(field, before?.[field], after[field])]
    if (!made) return [{ path: field }]
    const from = fieldValue(made, field)
    const to = Object.hasOwn(after, field) ? fieldValue(wanted, field) : undefined
    // a default that is written out, of the engine or of the image
    if (before && isToldWhole(field) && isSame(from, to)) return []
    const changes = valueChanges(field, before && !Object.hasOwn(before, field) ? undefined : from, to)
    // what is no other there, as far as can be seen
    if (changes.length > 0) return changes
    return before ? [{ path: field }] : []
  })
}

/** Of a mount only its source is told. */
function isToldWhole(field: string): boolean {
  return !field.startsWith('volumes.')
}

function isSame(from: FieldValue, to: FieldValue): boolean {
  if (from === undefined || to === undefined || to.length === 0) return false
  if (typeof from === 'string' || typeof to === 'string') return from === to
  return from.length === to.length && from.every(each => to.includes(each))
}

function hashes(path: string, from: string | undefined, to: string | undefined): Change {
  return {
    path,
    ...(from === undefined ? {} : { from: `#${from}` }),
    ...(to === undefined ? {} : { to: `#${to}` }),
  }
}

/** One change, or one for each entry that a list has more or less; none where both are the same. */
export function valueChanges(path: string, from: FieldValue, to: FieldValue): readonly Change[] {
  if (Array.isArray(from) || Array.isArray(to)) {
    const [old, now] = [from ?? [], to ?? []].map(each => (typeof each === 'string' ? [each] : each)) as [
      readonly string[],
      readonly string[],
    ]
    const [added, gone] = [now.filter(each => !old.includes(each)), old.filter(each => !now.includes(each))]
    // one in the place of another
    if (added.length === 1 && gone.length === 1)
      return [{ path, from: shown(path, gone[0]!), to: shown(path, added[0]!) }]
    return [
      ...added.map(each => ({ path, to: shown(path, each) })),
      ...gone.map(each => ({ path, from: shown(path, each) })),
    ]
  }
  if (from === to) return []
  return [
    {
      path,
      ...(from === undefined ? {} : { from: shown(path, from as string) }),
      ...(to === undefined ? {} : { to: shown(path, to as string) }),
    },
  ]
}

function shown(path: string, value: string): string {
  return looksSecret(path, value) ? hashText(value) : value
}
