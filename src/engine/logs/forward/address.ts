/** Addresses of log servers, "udp://host:port" and "unix:///path", as Go's net/url reads them. Pure. */
import { badOption } from '../driver.ts'

export interface Address {
  /** "" when there is none. */
  readonly scheme: string
  /** Without the brackets of IPv6; "" when there is none. */
  readonly host: string
  /** "" when there is none. */
  readonly port: string
  /** With its slash. */
  readonly path: string
}

/** @throws Failure `invalid` in Go's words. */
export function parseAddress(text: string): Address {
  const wrong = (why: string) => badOption(`parse ${JSON.stringify(text)}: ${why}`)
  const [, scheme = '', authority = '', path = ''] = /^(?:([a-z][a-z\d+.-]*):\/\/([^/?#]*))?(.*)$/is.exec(text) ?? []
  const place = authority.slice(authority.lastIndexOf('@') + 1)
  if (place.startsWith('[') && !place.includes(']')) throw wrong("missing ']' in host")
  const colon = place.indexOf(':', place.lastIndexOf(']') + 1)
  const rest = colon < 0 ? '' : place.slice(colon)
  if (!/^(:\d*)?$/.test(rest)) throw wrong(`invalid port ${JSON.stringify(rest)} after host`)
  const host = (colon < 0 ? place : place.slice(0, colon)).replace(/^\[|\]$/g, '')
  return { scheme: scheme.toLowerCase(), host, port: rest.slice(1), path }
}

/** @throws Failure `invalid` for a number that no port has. */
export function portOf(text: string): number {
  const port = Number(text)
  if (port > 65535) throw badOption(`invalid port: strconv.ParseUint: parsing "${text}": value out of range`)
  return port
}

/** Where a connection goes to. */
export type Target =
  | { readonly kind: 'udp'; readonly host: string; readonly port: number }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'tls'; readonly host: string; readonly port: number; readonly tls: TlsFiles }
  /** A stream socket, and a datagram socket, of this machine. */
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'unixgram'; readonly path: string }

/** Files of this machine, read when the connection is made. */
export interface TlsFiles {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly skipVerify: boolean
}

/** "tcp://127.0.0.1:514", "unix:///dev/log". */
export function targetText(target: Target): string {
  if ('path' in target) return `${target.kind}://${target.path}`
  return `${target.kind}://${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`
}
