/** `--chown`: a name or number of a user, a group, or both, looked up in the files that are copied onto. */
import { Failure } from '../../../lib/failure.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import type { Owner } from '../../base/copy-node.ts'
import { readTreeFile } from '../../base/merged-tree.ts'

const largestFile = 16 * 1024 * 1024
const largestId = 2 ** 31 - 1

/**
 * A user that is not known is root, a group that is not known the user's own, as BuildKit has it.
 * @throws Failure `invalid` for a name where there are no files at all (FROM scratch).
 */
export function findOwner(chown: string, below: readonly HostPath[]): Owner {
  const colon = chown.indexOf(':')
  const user = colon < 0 ? chown : chown.slice(0, colon)
  let owner: Owner = { uid: 0, gid: 0 }
  if (user !== '') {
    const number = idOf(user)
    if (number !== undefined) owner = { uid: number, gid: number }
    else {
      const line = entries(below, '/etc/passwd', 'user').find(([name]) => name === user)
      if (line) owner = { uid: field(line, 2), gid: field(line, 3) }
    }
  }
  if (colon < 0) return owner
  const group = chown.slice(colon + 1)
  if (group === '') return { ...owner, gid: 0 }
  const number = idOf(group)
  if (number !== undefined) return { ...owner, gid: number }
  const line = entries(below, '/etc/group', 'group').find(([name]) => name === group)
  return line ? { ...owner, gid: field(line, 2) } : owner
}

function entries(below: readonly HostPath[], path: string, what: string): readonly string[][] {
  if (below.length === 0)
    throw new Failure('invalid', `invalid missing ${what} mount: there is no ${path} to look up a name in`)
  const text = readTreeFile(below, path, largestFile)?.toString('utf8') ?? ''
  return text.split('\n').map(line => line.trim().split(':'))
}

function field(line: readonly string[], index: number): number {
  return idOf(line[index] ?? '') ?? 0
}

/** What is no number of a user, or too large for one, is a name. */
function idOf(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= largestId ? Number(text) : undefined
}
