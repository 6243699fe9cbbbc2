/** Waits until the connections to a container's ports have ended, as its own kernel tables show them. */
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { errnoOf } from '../../../lib/failure.ts'
import { parsePortKey } from '../../../lib/ports.ts'
import { networkKind } from '../config/endpoints.ts'
import type { Container } from '../container.ts'

export interface DrainOptions {
  /** Seconds at most; undefined: the container's own grace, else 10. */
  readonly timeout?: number | undefined
  readonly signal: AbortSignal
}

const defaultGrace = 10
/** No event tells of the end of somebody else's connection: it is looked for again and again, in milliseconds. */
const [firstPause, longestPause] = [20, 200]

/** How many connections are left. */
export async function drain(container: Container, { timeout, signal }: DrainOptions): Promise<number> {
  const { config, hostConfig } = container.record
  const ports = new Set(
    [...Object.keys(config.ExposedPorts ?? {}), ...Object.keys(hostConfig.PortBindings)].flatMap(key => {
      const parsed = parsePortKey(key)
      return parsed?.protocol === 'tcp' ? [parsed.range[0]] : []
    }),
  )
  // in somebody else's namespace nobody could say whose connections they are
  const { kind } = networkKind(hostConfig.NetworkMode)
  if (ports.size === 0 || kind === 'host' || kind === 'container') return 0
  const end = Date.now() + (timeout ?? config.StopTimeout ?? defaultGrace) * 1000
  let [calm, wait] = [0, firstPause]
  for (;;) {
    const begun = Date.now()
    const left = await connections(container.state.pid, ports)
    // what was on its way when the ports passed arrives within the first pause
    calm = left === 0 ? calm + 1 : 0
    if (calm > 1 || Date.now() >= end || !container.running || signal.aborted) return left
    // tables can be long: to look takes a fifth of the time at most
    const rest = Math.max(wait, (Date.now() - begun) * 4)
    await pause(Math.min(rest, Math.max(1, end - Date.now())))
    wait = calm > 0 ? firstPause : Math.min(wait * 2, longestPause)
  }
}

/** Of TCP's states, 01 to 0C, those in which one side or the other may still have something to say: ESTABLISHED, SYN_RECV, FIN_WAIT1, CLOSE_WAIT, LAST_ACK, CLOSING. */
const open = new Set([...'13489B'].map(digit => digit.charCodeAt(0)))
/** A process that looks at itself, as health checks do. */
const loopback = /^(0100007F|00000000000000000000000001000000|0000000000000000FFFF00000100007F)$/

/**
 * Connections from elsewhere to these ports in the network namespace of a process, by /proc/PID/net/tcp. Of a busy server it has tens of
 * thousands of lines of what has ended: it is read beside the engine's own thread, which has other connections to see to.
 */
export async function connections(pid: number, ports: ReadonlySet<number>, read = readTable): Promise<number> {
  const tables = await Promise.all(['tcp', 'tcp6'].map(table => read(`/proc/${pid}/net/${table}`)))
  return tables.reduce((sum, table) => sum + openIn(table, ports), 0)
}

const [newline, colon] = [10, 58]

/** Lines are `sl: LOCAL:PORT REMOTE:PORT STATE …` in hex; only those of open ones are made text of. */
function openIn(table: Buffer, ports: ReadonlySet<number>): number {
  let count = 0
  for (let at = table.indexOf(newline) + 1; at > 0 && at < table.length; at = table.indexOf(newline, at) + 1) {
    const local = table.indexOf(colon, at) + 2
    const localEnd = table.indexOf(colon, local)
    const remote = localEnd + 6
    const remoteEnd = table.indexOf(colon, remote)
    if (remoteEnd < 0) break
    if (!open.has(table[remoteEnd + 7]!)) continue
    const text = (from: number, to: number) => table.toString('latin1', from, to)
    const port = Number.parseInt(text(localEnd + 1, localEnd + 5), 16)
    if (ports.has(port) && !loopback.test(text(remote, remoteEnd))) count++
  }
  return count
}

async function readTable(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    // the process has ended, or its kernel has no IPv6
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH' || errnoOf(error) === 'EINVAL') return Buffer.alloc(0)
    throw error
  }
}
