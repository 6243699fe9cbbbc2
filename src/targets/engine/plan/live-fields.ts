/** Which fields change on a container as it is: they are compared with what an engine says of it, not with what it was made with. */
import type { Change } from '../../../plan/change.ts'
import { describeChange, type Fields } from './fields.ts'
import { liveLimits } from './live-limits.ts'

/** A field of `hash.ts`. An address of an interface is settled when it is made, as engines do not tell whether it was asked for. */
export function isLiveField(field: string): boolean {
  if (field === 'restart' || Object.hasOwn(liveLimits, field)) return true
  return field.startsWith('networks.') && !field.endsWith('.mac_address')
}

/** What a config or secret says that is no file: as with Compose a container keeps the text it was made with. */
export function isText(field: string): boolean {
  return /^(?:configs|secrets)\..*\.text$/.test(field)
}

/** What is settled when a container is made, and asks for a new one when it changes. */
export function isSettled(field: string): boolean {
  return !isLiveField(field) && !isText(field)
}

/** Why a container made with the fields `before` cannot become one with `after`; undefined when it can. */
export function describeReplacement(before: Fields, after: Fields): string | undefined {
  return describeChange(settled(before), settled(after))
}

/** Those that are settled when a container is made. */
export function settled(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([field]) => isSettled(field)))
}

/** The texts of which a container has others than are wanted, each with both hashes; of a variable that is not set nothing is known. */
export function textChanges(before: Fields, after: Fields): readonly Change[] {
  return Object.keys(after)
    .filter(field => isText(field) && before[field] !== undefined && before[field] !== after[field])
    .map(path => ({ path, from: `#${before[path]}`, to: `#${after[path]}` }))
}
