/** How what runs in the engine's network namespace reaches the world: pasta, or slirp4netns where there is none; it ends with the namespaces. */
import { spawn } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../lib/failure.ts'
import { programPath } from './program-path.ts'

export interface WayOut {
  readonly name: 'pasta' | 'slirp4netns'
  readonly path: string
  /** Where it answers questions for names, with what the host's own servers say. */
  readonly dns: string
}

type Env = Readonly<Record<string, string | undefined>>

/** Which one there is; why there is none, in words. */
export function findWayOut(env: Env): WayOut | string {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
  } catch (error) {
    return `this user cannot open /dev/net/tun (${messageOf(error)})`
  }
  const pasta = programPath('pasta', env)
  if (pasta !== undefined) return { name: 'pasta', path: pasta, dns: '169.254.1.53' }
  const slirp = programPath('slirp4netns', env)
  if (slirp !== undefined) return { name: 'slirp4netns', path: slirp, dns: '10.0.2.3' }
  return 'neither pasta nor slirp4netns is installed'
}

const link = 'way0'

/**
 * Addresses that no host has: of the link alone (RFC 3927), and unique local ones (RFC 4193). pasta would give the namespace the host's own
 * otherwise, by which nothing within reaches the host any more.
 */
const own = [
  ...['--address', '169.254.1.2', '--netmask', '30', '--gateway', '169.254.1.1'],
  ...['--address', 'fd00:636f:6d70::2', '--gateway', 'fd00:636f:6d70::1'],
]

interface Start {
  /** Words in front, by which it ends with the namespaces. */
  readonly beside: readonly string[]
  /** Who holds them. */
  readonly pid: number
  /** Where it says that it works; made anew. */
  readonly mark: string
}

/** Nothing of the host's loopback is reached by it, and no port of the host leads in by it. */
function wordsOf({ name, path, dns }: WayOut, { pid, mark }: Start): string[] {
  if (name === 'slirp4netns')
    return [path, '--configure', '--mtu=65520', '--disable-host-loopback', '--ready-fd=3', String(pid), link]
  const none = ['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none', '--no-map-gw']
  const shown = ['--config-net', ...own, '--ns-ifname', link, '--dns-forward', dns]
  return [path, '--foreground', '--quiet', ...shown, ...none, '--pid', mark, String(pid)]
}

/** How long it may take to say that it works, in rounds of 10 ms. */
const rounds = 1000

/** Resolves when it works; otherwise in its words, why it does not. */
export async function startWayOut(way: WayOut, start: Start): Promise<string | undefined> {
  const [program, ...words] = [...start.beside, ...wordsOf(way, start)]
  writeFileSync(start.mark, '', { mode: 0o600 })
  const mark = openSync(start.mark, 'r+')
  const child = spawn(program!, words, { detached: true, cwd: '/', env: {}, stdio: ['ignore', 'ignore', 'pipe', mark] })
  closeSync(mark)
  let complaint = ''
  child.stderr!.on('data', (bytes: Buffer) => (complaint += bytes))
  child.once('error', error => (complaint = messageOf(error)))
  const closed = new Promise(resolve => child.once('close', resolve))
  try {
    // slirp4netns writes 1 when it is ready, pasta its number
    for (let round = 0; round < rounds && statSync(start.mark).size === 0; round++) {
      const ended = await Promise.race([closed.then(() => true), pause(10, false)])
      if (ended) return `${way.name} does not run: ${lastLine(complaint)}`
    }
    if (statSync(start.mark).size > 0) return undefined
    child.kill()
    return `${way.name} is not ready after ${rounds / 100} seconds`
  } finally {
    child.stderr!.destroy()
    child.unref()
  }
}

/** Without a log of the system's, pasta complains of that on each line. */
function lastLine(text: string): string {
  const lines = text
    .split('\n')
    .filter(line => line.trim() !== '' && !/^Failed to send \d+ bytes to syslog$/.test(line))
  return lines.at(-1)?.trim() ?? 'it said nothing'
}
