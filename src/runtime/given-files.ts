/**
 * How many files the processes that we start may open, when nobody says so: as many as we were given ourselves.
 *
 * Node raises its own soft limit to the hard one before the first line of ours runs, and all that it starts has that. What it was is seen in
 * the processes above, of which the nearest one that is no Node still has it.
 */
import { readFileSync } from 'node:fs'
import { errnoOf } from '../lib/failure.ts'

export interface FileLimit {
  readonly soft: number
  readonly hard: number
}

/** From "Max open files  1024  1048576  files" in /proc/PID/limits; undefined where there is none. */
export function parseFileLimit(limits: string): FileLimit | undefined {
  const [, soft, hard] = /^Max open files +(\d+) +(\d+)/m.exec(limits) ?? []
  return soft === undefined ? undefined : { soft: Number(soft), hard: Number(hard) }
}

/** What was given, when it is less than we have now. `limits`: our own, then those of each process above. */
export function givenFiles([own, ...above]: readonly (FileLimit | undefined)[]): FileLimit | undefined {
  if (own === undefined || own.soft < own.hard) return undefined
  for (const limit of above) {
    // a service manager: what it starts has limits that it was told of, and not its own
    if (limit?.hard !== own.hard) return undefined
    if (limit.soft < own.soft) return limit
  }
  return undefined
}

/** Our own, and those of all processes above, as far as they are there. */
export function fileLimits(): readonly (FileLimit | undefined)[] {
  const found: (FileLimit | undefined)[] = []
  try {
    for (let pid = process.pid; pid > 0; pid = parentOf(readFileSync(`/proc/${pid}/stat`, 'utf8')))
      found.push(parseFileLimit(readFileSync(`/proc/${pid}/limits`, 'utf8')))
  } catch (error) {
    // one that has ended meanwhile, or that we are not shown
    if (errnoOf(error) === undefined) throw error
  }
  return found
}

/** Behind the name, which may hold anything: state and parent. */
function parentOf(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}
