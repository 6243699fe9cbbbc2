/** A monitor's folder → a connection to it; one that lives and whose socket is gone is made to listen again. */
import { closeSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { debug } from '../lib/debug.ts'
import { errnoOf, messageOf } from '../lib/failure.ts'
import { Control } from './control.ts'
import { openPidfd, signalPidfd } from './native.ts'
import type { LastSeen } from './runtime.ts'

const log = debug('runtime')

/** SIGUSR1: native/supervise.c listens again when it gets it. */
const listenAgain = 10
/** What /proc/PID/exe says of a program that runs from a sealed copy in memory. */
const monitorProgram = '/memfd:monitor (deleted)'
/** Of 10 ms each; nothing tells when a socket that was never there can be connected to. */
const rounds = 200

/** Undefined when nobody is there. */
export async function reach(
  directory: string,
  { last, say }: { readonly last: LastSeen | undefined; readonly say: (line: string) => void },
): Promise<Control | undefined> {
  const control = await Control.to(directory)
  if (control !== undefined || last === undefined || !wakeMonitor(last)) return control
  // made here as well: the monitor may be waiting for space on that disk, and the error then has a path
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (let round = 0; round < rounds; round++) {
    const again = await Control.to(directory)
    if (again !== undefined) {
      say(`The socket of process ${last.pid} was gone from "${directory}"; it is there again`)
      return again
    }
    await pause(10)
  }
  say(`The monitor of process ${last.pid} cannot be reached by "${directory}"`)
  return undefined
}

/** Whether there is a monitor to wake: the parent of a process that is still the one that was last seen. */
function wakeMonitor(last: LastSeen): boolean {
  const parent = monitorOf(last)
  if (parent === undefined) return false
  let pidfd: number
  try {
    pidfd = openPidfd(parent)
  } catch (error) {
    log('no monitor %d: %s', parent, messageOf(error))
    return false
  }
  try {
    // the child still has this parent, so the descriptor is that parent's
    if (monitorOf(last) !== parent) return false
    signalPidfd(pidfd, listenAgain)
    return true
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error
    return false
  } finally {
    closeSync(pidfd)
  }
}

function monitorOf({ pid, cgroup }: LastSeen): number | undefined {
  if (pid <= 0) return undefined
  try {
    if (!isIn(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), cgroup)) return undefined
    const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
    return parent > 0 && readlinkSync(`/proc/${parent}/exe`) === monitorProgram ? parent : undefined
  } catch (error) {
    // it ended while we looked
    if (!['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) throw error
    return undefined
  }
}

/** /proc/PID/cgroup says "4:pids:/tscompose/ID", with what a privileged container made below it, and below what systemd gave us. */
function isIn(groups: string, cgroup: string): boolean {
  return groups.split('\n').some(line => `${line.split(':').slice(2).join(':')}/`.includes(`/${cgroup}/`))
}
