/** A full disk → a failure that says for what there was no room. */
import { getSystemErrorMap } from 'node:util'
import { errnoOf, Failure, messageOf } from '../../lib/failure.ts'

/** What the system says of an error, without path and call, which stand beside it. */
export function reasonOf(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : undefined
  return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? messageOf(error)
}

export function isSpaceError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(errnoOf(error) ?? '')
}

/** `ENOSPC` → `Cannot write "/path": no space left on device`. */
export function writeFailure(path: string, cause: unknown): Failure {
  return new Failure('internal', `Cannot write "${path}": ${reasonOf(cause)}`, {
    cause,
    hint: isSpaceError(cause) ? 'Free space on its file system' : undefined,
  })
}

/**
 * Anything else as it is. `path` for what is written to an open file, of which the system's error does not know where it is; otherwise
 * the error's own.
 */
export function spaceFailure(error: unknown, path?: string): unknown {
  if (!isSpaceError(error)) return error
  const { path: own, dest } = error as { readonly path?: string; readonly dest?: string }
  const place = dest ?? own ?? path
  return place === undefined ? error : writeFailure(place, error)
}
