/** Waits until the connections to a container's ports have ended, as its own kernel tables show them. */
import { readFileSync } from 'node:fs'
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
    const left = connections(container.state.pid, ports)
    // what was on its way when the ports passed arrives within the first pause
    calm = left === 0 ? calm + 1 : 0
    if (calm > 1 || Date.now() >= end || !container.running || signal.aborted) return left
    await pause(Math.min(wait, Math.max(1, end - Date.now())))
    wait = calm > 0 ? firstPause : Math.min(wait * 2, longestPause)
  }
}

/** Of TCP's states those in which one side or the other may still have something to say: ESTABLISHED, SYN_RECV, FIN_WAIT1, CLOSE_WAIT, LAST_ACK, CLOSING. */
const open = new Set(['01', '03', '04', '08', '09', '0B'])
/** A process that looks at itself, as health checks do. */
const loopback = /^(0100007F|00000000000000000000000001000000|0000000000000000FFFF00000100007F)$/

/** Connections from elsewhere to these ports in the network namespace of a process, by /proc/PID/net/tcp. */
export function connections(pid: number, ports: ReadonlySet<number>, read = readTable): number {
  return ['tcp', 'tcp6'].flatMap(table => {
    const lines = read(`/proc/${pid}/net/${table}`).split('\n').slice(1)
    return lines.filter(line => {
      const [, local = '', remote = '', state = ''] = line.trim().split(/\s+/)
      const port = Number.parseInt(local.split(':')[1] ?? '', 16)
      return ports.has(port) && open.has(state) && !loopback.test(remote.split(':')[0] ?? '')
    })
  }).length
}

function readTable(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // the process has ended, or its kernel has no IPv6
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH' || errnoOf(error) === 'EINVAL') return ''
    throw error
  }
}
