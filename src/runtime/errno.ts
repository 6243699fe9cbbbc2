/** Error numbers of Linux: their names, what they say, and the hint for those that have a usual reason. */
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))
// two names for one number: these are the ones readers know
names.set(11, 'EAGAIN').set(95, 'EOPNOTSUPP')
// unknown to Node: a bridge without a free port
names.set(54, 'EXFULL')

/** "EBUSY" for 16. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`
}

/** "resource busy or locked" for 16. */
export function errnoText(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? errnoName(errno)
}

/** As strerror(3) has them, where Docker's clients know the words. */
const words: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  ENOEXEC: 'exec format error',
  E2BIG: 'argument list too long',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  ETXTBSY: 'text file busy',
  ENOMEM: 'cannot allocate memory',
  EINVAL: 'invalid argument',
}

/** "argument list too long" for 7. */
export function errnoWords(errno: number): string {
  return words[errnoName(errno)] ?? errnoText(errno)
}

/** The same of a system error of Node's; undefined for anything else. */
export function systemErrorWords(error: unknown): string | undefined {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number'
    ? errnoWords(-error.errno)
    : undefined
}

const hints: Readonly<Record<string, string>> = {
  EPERM: 'Run the engine as root with all capabilities',
  ENOSPC: 'Free space or inodes on the file system',
  EMFILE: 'Raise the open file limit of the engine',
  ENOMEM: 'Free memory, or raise the limit',
  EXFULL: 'Use another network: a bridge of Linux takes 1,023 interfaces',
  ENODEV: 'Load the kernel module this needs',
  ENOSYS: 'Use a kernel of 6.1 or later',
}

/** What usually helps, starting with a verb. */
export function errnoHint(errno: number): string | undefined {
  return hints[errnoName(errno)]
}
