/** A container's cgroup that somebody has removed from a hierarchy → made again there, with its limits and its processes. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf } from '../lib/failure.ts'
import type { CgroupFacts } from './host.ts'
import { cgroupFolders, cgroupSteps } from './parts/cgroup.ts'
import type { CgroupSpec } from './spec.ts'
import type { Step } from './steps.ts'

export interface MonitorWork {
  /** Makes a group for groups of containers, as before a start. */
  readonly prepare: (parent: string) => Promise<void>
  /** Has host steps done, which are taken back when one fails. */
  readonly run: (steps: readonly Step[]) => Promise<void>
}

/** A group can only be removed when it is empty, so its processes stand elsewhere: in the one above, as a rule. */
export async function regroup(
  facts: CgroupFacts,
  spec: CgroupSpec,
  { privileged, pid, monitor }: { readonly privileged: boolean; readonly pid: number; readonly monitor: MonitorWork },
): Promise<void> {
  // to the kernel 0 is whoever writes it: us
  if (pid < 1) throw new RangeError(`No process has the number ${pid}`)
  const folders = cgroupFolders(facts, spec.path)
  const gone = folders.filter(folder => !existsSync(folder))
  const pids = membersOf(
    folders.filter(folder => !gone.includes(folder)),
    pid,
  )
  const isIn = (path: string): boolean => gone.some(folder => path.startsWith(`${folder}/`))
  await monitor.prepare(dirname(spec.path))
  const steps = cgroupSteps(facts, spec, privileged).host
  await monitor.run(
    steps.filter(
      ({ name, args }) =>
        ((name === 'mkdir' || name === 'filter-devices') && gone.includes(args.path)) ||
        (name === 'write' && isIn(args.path)),
    ),
  )
  for (const folder of gone) for (const each of pids) await move(each, folder)
}

/** Those that another hierarchy still has in the group, and those that the container's first process has begotten. */
export function membersOf(folders: readonly string[], pid: number): ReadonlySet<number> {
  const inGroup = folders.flatMap(folder => numbers(`${folder}/cgroup.procs`))
  return new Set([...inGroup, ...withDescendants(pid), ...companions(pid)])
}

function withDescendants(pid: number): readonly number[] {
  return [pid, ...numbers(`/proc/${pid}/task/${pid}/children`).flatMap(withDescendants)]
}

/** Whoever lives in the same pid namespace, unless that is our own: execs are no children of the first process. */
function companions(pid: number): readonly number[] {
  const own = namespaceOf('self')
  const its = namespaceOf(pid)
  if (its === undefined || its === own) return []
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && namespaceOf(name) === its)
    .map(Number)
}

function namespaceOf(pid: number | string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    // it has ended
    return undefined
  }
}

function numbers(path: string): readonly number[] {
  try {
    return readFileSync(path, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number)
  } catch (error) {
    // gone meanwhile
    if (['ENOENT', 'ESRCH', 'ENODEV'].includes(errnoOf(error) ?? '')) return []
    throw error
  }
}

async function move(pid: number, folder: string): Promise<void> {
  try {
    await writeFile(`${folder}/cgroup.procs`, String(pid), { flag: 'r+' })
  } catch (error) {
    // it ended by itself
    if (errnoOf(error) !== 'ESRCH') throw error
  }
}
