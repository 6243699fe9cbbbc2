/** Where an engine listens, from its flags: a unix socket, and TCP with certificates. */
import { readFileSync } from 'node:fs'
import { errnoOf, Failure, messageOf } from '../../lib/failure.ts'
import type { Listener, ServerTls } from './answer.ts'

export interface ListenFlags {
  readonly socket: string
  /** The socket, when whoever started us has opened it. */
  readonly inherited?: number | undefined
  readonly group?: string | undefined
  readonly listen?: readonly string[] | undefined
  readonly 'insecure-tcp'?: boolean | undefined
  readonly tlscacert?: string | undefined
  readonly tlscert?: string | undefined
  readonly tlskey?: string | undefined
}

/** The unix socket first. @throws Failure `invalid` for an address or certificates that cannot be used, `not-found` for a group. */
export function listenersOf(flags: ListenFlags): readonly Listener[] {
  const tls = serverTls(flags)
  return [
    {
      kind: 'unix',
      path: flags.socket,
      group: groupId(flags.group),
      ...(flags.inherited === undefined ? {} : { fd: flags.inherited }),
    },
    ...(flags.listen ?? []).map(address => tcpListener(address, flags['insecure-tcp'] ?? false, tls)),
  ]
}

/**
 * The descriptor of the one socket that a service manager has opened for us (sd_listen_fds(3)); undefined when it is not we who are
 * meant. @throws Failure `invalid` for several
 */
export function inheritedSocket(env: Readonly<Record<string, string | undefined>>, pid: number): number | undefined {
  if (env['LISTEN_PID'] !== String(pid)) return undefined
  if (env['LISTEN_FDS'] !== '1')
    throw new Failure('invalid', `Cannot take over ${env['LISTEN_FDS'] ?? 'no'} sockets: it is to be one`, {
      hint: 'The socket unit should have one ListenStream=',
    })
  return firstInherited
}

/** SD_LISTEN_FDS_START */
const firstInherited = 3

/** All three or none: without an authority for clients whoever reaches the port would be root here. */
function serverTls({ tlscacert, tlscert, tlskey }: ListenFlags): ServerTls | undefined {
  const given = { tlscacert, tlscert, tlskey }
  const missing = Object.entries(given).flatMap(([name, path]) => (path === undefined ? [`--${name}`] : []))
  if (missing.length === 3) return undefined
  if (missing.length > 0)
    throw new Failure('invalid', `Cannot listen with TLS: ${missing.join(' and ')} must be given too`, {
      hint: '--tlscacert signs for clients; --tlscert and --tlskey are the own certificate',
    })
  return { ca: pem('tlscacert', tlscacert!), cert: pem('tlscert', tlscert!), key: pem('tlskey', tlskey!) }
}

function pem(name: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new Failure('invalid', `Cannot use --${name} "${path}": ${errnoOf(cause) ?? messageOf(cause)}`, { cause })
  }
}

/** "tcp://127.0.0.1:2375". */
function tcpListener(address: string, insecure: boolean, tls: ServerTls | undefined): Listener {
  let url: URL | undefined
  try {
    url = new URL(address)
  } catch {
    // told below, like every other malformed one
  }
  if (url?.protocol !== 'tcp:' || !url.port || !url.hostname)
    throw new Failure('invalid', `Cannot listen on "${address}": expected tcp://HOST:PORT`)
  return { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port), insecure, tls }
}

/** The group that may use the socket, by name or number; root's own when there is none. */
function groupId(name: string | undefined): number | undefined {
  if (name === undefined) return undefined
  if (/^\d+$/.test(name)) return Number(name)
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find(entry => entry.startsWith(`${name}:`))
  if (!line) throw new Failure('not-found', `Cannot open the socket to group "${name}": there is no such group`)
  return Number(line.split(':')[2])
}
