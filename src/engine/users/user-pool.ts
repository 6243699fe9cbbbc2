/** Where user namespaces take their ids from: the lines of a user in /etc/subuid and /etc/subgid (subuid(5)), or a range of our own. */
import { readFileSync } from 'node:fs'
import { errnoOf, Failure } from '../../lib/failure.ts'
import type { IdRange } from '../../runtime/spec.ts'

/** Ids of one user namespace: as many as one had of old. */
export const rangeSize = 65_536

/** Whose lines they are when the settings name nobody. */
export const usualUser = 'tscompose'

/**
 * Used when nobody has lines for us: above what shadow (600,100,000) and systemd's containers (0x6FFFFFFF) give out, below its foreign
 * ids and what does not fit into 31 bits.
 */
const own = { first: 0x7000_0000, ranges: 4_000 } as const

export interface UserPool {
  /** In the order in which they are given. */
  readonly ranges: readonly IdRange[]
  /** One line of where they are from. */
  readonly origin: string
}

interface Files {
  readonly subuid: string
  readonly subgid: string
}

/** `user`: undefined when nobody was named. @throws Failure `invalid` when the named one has no lines, or a line makes no sense. */
export function userPool(user: string | undefined, { subuid, subgid }: Files): UserPool {
  const name = user ?? usualUser
  const uids = parse(subuid, '/etc/subuid')
  const gids = parse(subgid, '/etc/subgid')
  const of = (entries: readonly Entry[]) => entries.filter(entry => entry.user === name)
  if (user === undefined && of(uids).length === 0 && of(gids).length === 0) return ownPool([...uids, ...gids])
  const firsts = { uid: firstsOf(of(uids)), gid: firstsOf(of(gids)) }
  for (const [file, found] of [
    ['/etc/subuid', firsts.uid],
    ['/etc/subgid', firsts.gid],
  ] as const)
    if (found.length === 0)
      throw new Failure('invalid', `Cannot make user namespaces: ${file} gives "${name}" less than ${rangeSize} ids`, {
        hint: `Add a line such as ${name}:200000:6553600`,
      })
  const count = Math.min(firsts.uid.length, firsts.gid.length)
  return {
    ranges: Array.from({ length: count }, (_, i) => ({ uid: firsts.uid[i]!, gid: firsts.gid[i]!, size: rangeSize })),
    origin: `the lines of "${name}" in /etc/subuid and /etc/subgid: ${count} of ${rangeSize} ids`,
  }
}

export function readUserPool(user: string | undefined): UserPool {
  return userPool(user, { subuid: textOf('/etc/subuid'), subgid: textOf('/etc/subgid') })
}

function ownPool(others: readonly Entry[]): UserPool {
  const isTaken = (first: number) =>
    others.some(entry => entry.first < first + rangeSize && first < entry.first + entry.count)
  const firsts = Array.from({ length: own.ranges }, (_, i) => own.first + i * rangeSize).filter(
    first => !isTaken(first),
  )
  return {
    ranges: firsts.map(first => ({ uid: first, gid: first, size: rangeSize })),
    origin: `${own.first} and above, ${firsts.length} of ${rangeSize} ids: /etc/subuid has no line for "${usualUser}"`,
  }
}

interface Entry {
  readonly user: string
  readonly first: number
  readonly count: number
}

/** "user:first:count" a line. */
function parse(text: string, file: string): readonly Entry[] {
  return text.split('\n').flatMap((line, index) => {
    if (/^\s*(#|$)/.test(line)) return []
    const [, user, first, count] = /^([^:\s]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line) ?? []
    const entry = { user: user ?? '', first: Number(first), count: Number(count) }
    if (user === undefined || entry.first + entry.count > 2 ** 32 - 1)
      throw new Failure('invalid', `Cannot read ${file}: line ${index + 1} is not USER:FIRST:COUNT`)
    return [entry]
  })
}

function firstsOf(entries: readonly Entry[]): readonly number[] {
  return entries.flatMap(({ first, count }) =>
    Array.from({ length: Math.floor(count / rangeSize) }, (_, i) => first + i * rangeSize),
  )
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
}
