/** Which fields change on a container as it is: they are compared with what an engine says of it, not with what it was made with. */
import { describeChange, type Fields } from './fields.ts'
import { liveLimits } from './live-limits.ts'

/** A field of `hash.ts`. An address of an interface is settled when it is made, as engines do not tell whether it was asked for. */
export function isLiveField(field: string): boolean {
  if (field === 'restart' || Object.hasOwn(liveLimits, field)) return true
  return field.startsWith('networks.') && !field.endsWith('.mac_address')
}

/** Why a container made with the fields `before` cannot become one with `after`; undefined when it can. */
export function describeReplacement(before: Fields, after: Fields): string | undefined {
  return describeChange(settled(before, after), settled(after, after))
}

/** Without what changes on a container as it is, and the content of a variable that is not set now. */
export function settled(fields: Fields, wanted: Fields): Fields {
  const has = (field: string) => Object.hasOwn(wanted, field)
  const entries = Object.entries(fields).filter(([field]) => {
    const reference = /^((?:configs|secrets)\..*)\.content$/.exec(field)?.[1]
    return !isLiveField(field) && !(reference !== undefined && has(reference) && !has(field))
  })
  return Object.fromEntries(entries)
}
