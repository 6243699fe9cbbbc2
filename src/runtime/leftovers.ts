/** A container's cgroup, after its first process has ended → empty: what still runs in it is ended, what was made within removed. */
import { readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { errnoOf } from '../lib/failure.ts'
import type { CgroupFacts } from './host.ts'
import { cgroupFolder, cgroupFolders } from './parts/cgroup.ts'

/** Of 10 ms each; what is busy for longer, the removal of the group will tell. */
const rounds = 200

/**
 * A process that shares its pid namespace with others outlives the container's first, and a privileged container makes groups of
 * its own. `thaw`: a frozen process would not even hear that it is to end.
 */
export async function endLeftovers(facts: CgroupFacts, path: string, thaw: () => Promise<void>): Promise<void> {
  const whole = cgroupFolder(facts, 'pids', path) ?? cgroupFolders(facts, path)[0]
  // without groups nothing tells whose they were
  if (whole === undefined) return
  for (let round = 0; round < rounds; round++) {
    const nested = cgroupFolders(facts, path).flatMap(foldersWithin)
    const left = [whole, ...nested].flatMap(processesIn)
    if (left.length === 0) return removeFolders(nested)
    if (round === 0) await thaw()
    for (const pid of left) kill(pid)
    await pause(10)
  }
}

/** The groups below one, deepest first. A folder's link count tells whether there are any. */
export function foldersWithin(folder: string): readonly string[] {
  if ((statSync(folder, { throwIfNoEntry: false })?.nlink ?? 0) <= 2) return []
  const folders = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory())
  return folders.map(({ name }) => `${folder}/${name}`).flatMap(inner => [...foldersWithin(inner), inner])
}

function processesIn(folder: string): readonly number[] {
  try {
    return readFileSync(`${folder}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number)
  } catch (error) {
    // gone meanwhile
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return []
    throw error
  }
}

function removeFolders(folders: readonly string[]): void {
  for (const folder of folders)
    try {
      rmdirSync(folder)
    } catch (error) {
      // busy until the kernel has let the last process go: the group above then says so
      if (!['ENOENT', 'EBUSY'].includes(errnoOf(error) ?? '')) throw error
    }
}

function kill(pid: number): void {
  // 0 is a process of another pid namespace that we cannot see
  if (pid === 0) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // it ended by itself
    if (errnoOf(error) !== 'ESRCH') throw error
  }
}
