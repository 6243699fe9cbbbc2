/** Which engine to talk to: from the flag, DOCKER_HOST, DOCKER_CONTEXT or our default socket, to a place to connect to. */
import { accessSync, constants, lstatSync } from 'node:fs'
import { Failure } from '../lib/failure.ts'
import { contextEngine, dockerFolder } from './docker-context.ts'
import type { SshPlace } from './ssh.ts'
import { type Tls, tlsOf } from './tls.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Of root's engine. */
export const rootSocket = '/run/tscompose/engine.sock'

/** Where the run folder of a user's own engine is; undefined for a user who has none. */
export function userRunFolder(env: Env, uid = process.geteuid?.()): string | undefined {
  // a relative one counts as none: XDG Base Directory Specification
  if (env['XDG_RUNTIME_DIR']?.startsWith('/')) return `${env['XDG_RUNTIME_DIR']}/tscompose`
  const usual = `/run/user/${uid}`
  const stat = lstatSync(usual, { throwIfNoEntry: false })
  return stat?.isDirectory() && stat.uid === uid ? `${usual}/tscompose` : undefined
}

/** Our own engine: root's, also for whoever may use that one, and otherwise the user's. */
export function defaultSocket(env: Env, uid = process.geteuid?.()): string {
  const folder = uid === 0 || mayUse(rootSocket) ? undefined : userRunFolder(env, uid)
  return folder === undefined ? rootSocket : `${folder}/engine.sock`
}

function mayUse(socket: string): boolean {
  try {
    accessSync(socket, constants.W_OK)
    return true
  } catch {
    // nobody there, or not for this user
    return false
  }
}

export type Place =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly hostname: string; readonly port: number; readonly tls?: Tls }
  | SshPlace

/** A host as text and where that text came from: behind DOCKER_CONTEXT it is what the context names. */
export interface Host {
  readonly host: string
  /** Only behind the default may an engine be started. */
  readonly source: '--host' | 'DOCKER_HOST' | 'DOCKER_CONTEXT' | 'default'
  /** Asked for by the environment, or by the context: of TCP. */
  readonly tls?: Tls
}

/**
 * The flag before DOCKER_HOST before DOCKER_CONTEXT before our own socket; empty is as if absent. docker's current context is its own affair.
 * @throws Failure `not-found` for a context
 */
export function chooseHost(flag: string | undefined, env: Env): Host {
  const tls = tlsOf(env)
  const named = (host: string, source: Host['source']): Host => ({ host, source, ...(tls && { tls }) })
  if (flag) return named(flag, '--host')
  if (env['DOCKER_HOST']) return named(env['DOCKER_HOST'], 'DOCKER_HOST')
  const context = env['DOCKER_CONTEXT']
  if (context && context !== 'default')
    return { ...contextEngine(dockerFolder(env), context), source: 'DOCKER_CONTEXT' }
  return { host: `unix://${defaultSocket(env)}`, source: 'default' }
}

/** `tls`: how TCP is spoken, where it is TLS. @throws Failure `invalid`, or `unsupported` for npipe and fd. */
export function parseHost(host: string, tls?: Tls): Place {
  const match = /^([a-z]+):\/\/(.*)$/s.exec(host)
  if (!match) {
    throw new Failure(
      'invalid',
      `Cannot use host "${host}": it should be unix:///path, tcp://host:port or ssh://user@host`,
    )
  }
  const [, scheme, rest] = match as unknown as [string, string, string]
  switch (scheme) {
    case 'unix':
      if (!rest.startsWith('/') || rest.includes('\0'))
        throw new Failure(
          'invalid',
          `Cannot use host "${host}": the path of a socket should be absolute, as in unix:///run/docker.sock`,
        )
      // sun_path holds 107 bytes and its NUL; a longer path would be cut and reach another socket
      if (Buffer.byteLength(rest) > 107)
        throw new Failure(
          'invalid',
          `Cannot use host "${host}": the path of a socket has at most 107 bytes, this one has ${Buffer.byteLength(rest)}`,
        )
      return { kind: 'unix', path: rest }
    case 'https':
      if (!tls)
        throw new Failure('invalid', `Cannot use host "${host}": nothing says how its certificate is to be verified`, {
          hint: 'Set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem',
        })
      return parseHost(`tcp://${rest}`, tls)
    case 'tcp':
    case 'http': {
      const address = /^(?:\[([0-9a-fA-F:.]+)\]|([^/:@\s]+))(?::(\d{1,5}))?\/?$/.exec(rest)
      const port = Number(address?.[3] ?? (tls ? 2376 : 2375))
      if (!address || port < 1 || port > 65535)
        throw new Failure('invalid', `Cannot use host "${host}": it should be ${scheme}://host:port`)
      return { kind: 'tcp', hostname: address[1] ?? address[2]!, port, ...(tls && scheme === 'tcp' && { tls }) }
    }
    case 'ssh':
      return parseSsh(host, rest)
    default:
      throw new Failure('unsupported', `Cannot use host "${host}": "${scheme}" is not supported; unix, tcp and ssh are`)
  }
}

/** "me@host:22": no path, no password, nothing that ssh would take for an option. */
function parseSsh(host: string, rest: string): Place {
  const match = /^(?:([^@:/\s-][^@:/\s]*)@)?(?:\[([0-9a-fA-F:.]+)\]|([^-/:@\s[][^/:@\s]*))(?::(\d{1,5}))?\/?$/.exec(
    rest,
  )
  const port = match?.[4] === undefined ? undefined : Number(match[4])
  if (!match || port === 0 || (port ?? 0) > 65535)
    throw new Failure('invalid', `Cannot use host "${host}": it should be ssh://user@host:port`)
  const [, user, v6, name] = match
  return {
    kind: 'ssh',
    hostname: v6 ?? name!,
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port }),
  }
}
