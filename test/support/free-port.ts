/** Ports of this machine: such as nobody has, and whether somebody listens on one. */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'

/**
 * The first of as many that follow one another, free for TCP and UDP on every address. None of those that the kernel gives to whoever connects
 * somewhere (ip_local_port_range in ip(7)): such a one may be taken before the program that is told of it listens.
 */
export async function freePort(count = 1): Promise<number> {
  const [lowest, end] = offered()
  for (;;) {
    const first = randomInt(lowest, end - count)
    const ports = Array.from({ length: count }, (_, i) => first + i)
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first
  }
}

/** Those below what the kernel gives, or above where there are few. */
function offered(): readonly [lowest: number, end: number] {
  const [first, last] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t').map(Number)
  return first! > 20_000 ? [10_000, first!] : [Math.min(last! + 1, 61_000), 65_536]
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const socket = createSocket('udp4')
  try {
    await Promise.all([
      once(server.listen(port), 'listening'),
      once(socket.bind({ port, exclusive: true }), 'listening'),
    ])
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return false
  } finally {
    await Promise.all([server, socket].map(each => new Promise<void>(done => void closed(each, done))))
  }
}

/** Also one that was never open. */
function closed(it: { close(done: () => void): unknown }, done: () => void): void {
  try {
    it.close(() => done())
  } catch {
    done()
  }
}

export function listens(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
