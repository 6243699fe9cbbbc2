/** Which engine to talk to: from the flag, DOCKER_HOST or our default socket, to a place to connect to. */
import { Failure } from '../lib/failure.ts'

export const defaultSocket = '/run/tscompose/engine.sock'

export type Place =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly hostname: string; readonly port: number }

/** A host as text and where that text came from. */
export interface Host {
  readonly host: string
  /** "--host", "DOCKER_HOST" or "default": only behind the default may an engine be started. */
  readonly source: '--host' | 'DOCKER_HOST' | 'default'
}

/** The flag before DOCKER_HOST before our own socket; empty is as if absent. */
export function chooseHost(flag: string | undefined, env: Readonly<Record<string, string | undefined>>): Host {
  if (flag) return { host: flag, source: '--host' }
  if (env['DOCKER_HOST']) {
    if (env['DOCKER_TLS_VERIFY'] && env['DOCKER_HOST'].startsWith('tcp:'))
      throw new Failure(
        'unsupported',
        `Cannot use host "${env['DOCKER_HOST']}": DOCKER_TLS_VERIFY asks for TLS, which is not supported`,
        {
          hint: 'Name a unix socket, or unset DOCKER_TLS_VERIFY when plain TCP is meant',
        },
      )
    return { host: env['DOCKER_HOST'], source: 'DOCKER_HOST' }
  }
  return { host: `unix://${defaultSocket}`, source: 'default' }
}

/** @throws Failure `invalid`, or `unsupported` for ssh, npipe, fd and https. */
export function parseHost(host: string): Place {
  const match = /^([a-z]+):\/\/(.*)$/s.exec(host)
  if (!match) {
    throw new Failure('invalid', `Cannot use host "${host}": it should be unix:///path or tcp://host:port`)
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
    case 'tcp':
    case 'http': {
      const address = /^(?:\[([0-9a-fA-F:.]+)\]|([^/:@\s]+))(?::(\d{1,5}))?\/?$/.exec(rest)
      const port = Number(address?.[3] ?? 2375)
      if (!address || port < 1 || port > 65535)
        throw new Failure('invalid', `Cannot use host "${host}": it should be ${scheme}://host:port`)
      return { kind: 'tcp', hostname: address[1] ?? address[2]!, port }
    }
    case 'ssh':
      throw new Failure('unsupported', `Cannot use host "${host}": ssh is not supported`, {
        hint: 'Forward the socket with "ssh -L /tmp/engine.sock:/run/tscompose/engine.sock HOST" and use unix:///tmp/engine.sock',
      })
    default:
      throw new Failure('unsupported', `Cannot use host "${host}": "${scheme}" is not supported, unix and tcp are`)
  }
}
