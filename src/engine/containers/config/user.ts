/** "app:staff" and the container's own passwd and group → uid, gid, groups and home: pure. */
import { Failure } from '../../../lib/failure.ts'
import type { UserSpec } from '../../../runtime/spec.ts'

export interface UserFiles {
  /** Text of /etc/passwd in the container's root; empty when there is none. */
  readonly passwd: string
  readonly group: string
}

export interface FoundUser extends UserSpec {
  readonly home: string
}

const largest = 2 ** 31 - 1
/** What the monitor takes. */
const mostGroups = 1024

/** @throws Failure `invalid` with Docker's text when a name has no entry or a number is out of range. */
export function findUser(user: string, groupAdd: readonly string[], files: UserFiles): FoundUser {
  const at = user.indexOf(':')
  const userName = at < 0 ? user : user.slice(0, at)
  const groupName = at < 0 ? '' : user.slice(at + 1)

  // a number is never a name: an image could call its root "1000" (CVE-2016-3697)
  const number = parseId(userName === '' ? '0' : userName)
  const entry = first(passwdEntries(files.passwd), ({ name, uid }) =>
    number === undefined ? name === userName : uid === number,
  )
  if (!entry && number === undefined)
    throw new Failure('invalid', `unable to find user ${userName}: no matching entries in passwd file`)
  const uid = entry?.uid ?? number!

  const groups = new Set<number>()
  let gid = entry?.gid ?? 0
  if (groupName !== '') gid = findGroup(groupName, files.group)
  groups.add(gid)
  // An explicit group drops the supplementary ones of the user, as Docker does.
  if (groupName === '' && entry)
    for (const group of groupEntries(files.group)) if (group.members.includes(entry.name)) groups.add(group.gid)
  for (const name of groupAdd) groups.add(findGroup(name, files.group))
  if (groups.size > mostGroups)
    throw new Failure(
      'invalid',
      `Cannot become user "${user}": it is in ${groups.size} groups, at most ${mostGroups} are possible`,
    )
  return { uid, gid, groups: [...groups], home: entry?.home || '/' }
}

function findGroup(name: string, text: string): number {
  const number = parseId(name)
  if (number !== undefined) return number
  const entry = first(groupEntries(text), group => group.name === name)
  if (!entry) throw new Failure('invalid', `unable to find group ${name}: no matching entries in group file`)
  return entry.gid
}

function first<T>(items: Iterable<T>, wanted: (item: T) => boolean): T | undefined {
  for (const item of items) if (wanted(item)) return item
  return undefined
}

/** The number of an all-digit name. */
function parseId(text: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return undefined
  const number = Number(text)
  if (number < 0 || number > largest) throw new Failure('invalid', `uids and gids must be in range 0-${largest}`)
  return number
}

function* fields(text: string, count: number): Generator<string[]> {
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const parts = line.split(':')
    if (parts.length >= count) yield parts
  }
}

const isId = (text: string | undefined): text is string =>
  text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= largest

function* passwdEntries(text: string): Generator<{ name: string; uid: number; gid: number; home: string }> {
  for (const [name, , uid, gid, , home] of fields(text, 4))
    if (isId(uid) && isId(gid)) yield { name: name!, uid: Number(uid), gid: Number(gid), home: home ?? '' }
}

function* groupEntries(text: string): Generator<{ name: string; gid: number; members: string[] }> {
  for (const [name, , gid, members] of fields(text, 3))
    if (isId(gid)) yield { name: name!, gid: Number(gid), members: (members ?? '').split(',').filter(Boolean) }
}
