/** The ids that an ordinary user may give to others: lines of /etc/subuid and /etc/subgid → words of newuidmap. Pure. */
import { Failure } from '../lib/failure.ts'

export interface Subordinate {
  readonly first: number
  readonly count: number
}

/** "name:100000:65536" lines of this user, by name or number (subuid(5)); others, and what is no such line, are passed over. */
export function subordinateIds(
  text: string,
  { name, uid }: { readonly name: string; readonly uid: number },
): Subordinate[] {
  return text.split('\n').flatMap(line => {
    const [owner, first, count] = line.split(':').map(word => word.trim())
    if (owner !== name && owner !== String(uid)) return []
    const range = { first: Number(first), count: Number(count) }
    return Number.isInteger(range.first) && Number.isInteger(range.count) && range.count > 0 ? [range] : []
  })
}

/** Images have files of users and groups up to here, such as nobody's. */
const least = 65_536

/** Inside, root is the user; from 1 on the ranges follow one another. @throws Failure `unavailable` when they are too few */
export function mapWords(
  own: number,
  ranges: readonly Subordinate[],
  { file, name }: { readonly file: string; readonly name: string },
): string[] {
  const words = [0, own, 1]
  let next = 1
  for (const { first, count } of ranges) {
    words.push(next, first, count)
    next += count
  }
  if (next <= least)
    throw new Failure(
      'unavailable',
      `Cannot start an engine as user "${name}": ${file} gives it ${next - 1} ids, and images need ${least}`,
      { hint: `Have root run: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name}` },
    )
  return words.map(String)
}
