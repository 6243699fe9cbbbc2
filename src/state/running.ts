/** A process as others can tell later whether it still runs: a pid alone is given away again. */
import { readFileSync } from 'node:fs'
import { errnoOf } from '../lib/failure.ts'

export interface ProcessMark {
  readonly pid: number
  /** When it was started, as proc(5) tells it, in the boot it belongs to; undefined where that cannot be read. */
  readonly start: string | undefined
}

export function markOf(pid: number): ProcessMark {
  return { pid, start: startOf(pid) }
}

export function isRunning({ pid, start }: ProcessMark): boolean {
  return start !== undefined && startOf(pid) === start
}

/** Boot id and the 22nd field of /proc/PID/stat, clock ticks since that boot: proc_pid_stat(5). */
function startOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  const boot = readText('/proc/sys/kernel/random/boot_id')
  if (stat === undefined || boot === undefined) return undefined
  // the second field is a name in brackets that may hold blanks and brackets itself
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // a zombie has ended, though nobody has taken note
  return state === 'Z' || fields[18] === undefined ? undefined : `${boot.trim()}/${fields[18]}`
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
