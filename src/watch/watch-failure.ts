/** Why inotify would not take a folder, in words. */
import { errnoOf, Failure, messageOf } from '../lib/failure.ts'

export function watchFailure(path: string, cause: unknown): Failure {
  const errno = errnoOf(cause)
  const cannot = `Cannot watch "${path}"`
  if (errno === 'ENOSPC')
    return new Failure('unavailable', `${cannot}: this user has no inotify watches left`, {
      hint: 'Raise fs.inotify.max_user_watches by sysctl, or leave folders out with "ignore"',
      cause,
    })
  if (errno === 'EMFILE')
    return new Failure('unavailable', `${cannot}: this user has no inotify instances left`, {
      hint: 'Raise fs.inotify.max_user_instances by sysctl',
      cause,
    })
  return new Failure(errno === 'EACCES' ? 'denied' : 'unavailable', `${cannot}: ${errno ?? messageOf(cause)}`, {
    cause,
  })
}
