/** The fields of a service, network or volume by short hashes, and which of them differ, in words. */

/** Field as the stack file names it ("environment.TAG", "image") → short hash. */
export type Fields = Readonly<Record<string, string>>

/** Fields that are in one of the two, or in both with another hash; sorted. */
export function differing(before: Fields, after: Fields): readonly string[] {
  const all = new Set([...Object.keys(before), ...Object.keys(after)])
  const of = (fields: Fields, field: string) => (Object.hasOwn(fields, field) ? fields[field] : undefined)
  return [...all].filter(field => of(before, field) !== of(after, field)).sort()
}

/** "environment.TAG changed, ports added"; undefined when no field differs. */
export function describeChange(before: Fields, after: Fields): string | undefined {
  const changes = differing(before, after).map(
    field =>
      `${field} ${!Object.hasOwn(after, field) ? 'removed' : Object.hasOwn(before, field) ? 'changed' : 'added'}`,
  )
  return changes.length === 0 ? undefined : few(changes)
}

/** "mem_limit, pids_limit changed". */
export function describePaths(paths: readonly string[]): string {
  return `${few([...new Set(paths)])} changed`
}

function few(words: readonly string[]): string {
  return words.length <= 4 ? words.join(', ') : `${words.slice(0, 3).join(', ')} and ${words.length - 3} more`
}
