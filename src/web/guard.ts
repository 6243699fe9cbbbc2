/** What is refused before anything is looked at: names that only a page of somebody else would use, and pages of somebody else. */
import { isIP } from 'node:net'

export interface Asking {
  readonly method: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** A WebSocket: a page of any origin may open one, so that it has to say its own. */
  readonly upgrade?: boolean
}

/**
 * Why a request is refused, or undefined. `Host` is to be an address or one of `names`: a name that somebody else's server gives for our address (DNS
 * rebinding) is none of them. What changes something has to come from a page of ours (Fetch standard: `Origin` stands in each POST).
 */
export function refusal({ method, headers, upgrade = false }: Asking, names: readonly string[]): string | undefined {
  const host = one(headers['host'])
  if (host === undefined || !isOurs(host, names)) return 'Not served under this name: use the address that was printed'
  const origin = one(headers['origin'])
  if (origin !== undefined && origin !== `http://${host}`) return 'Not for pages of another origin'
  const isReading = method === 'GET' || method === 'HEAD'
  if (origin === undefined && (upgrade || !isReading)) return 'Not without the origin of the page'
  const site = one(headers['sec-fetch-site'])
  // a link from elsewhere may lead to the page; what it then asks for comes from itself
  const isVisit = isReading && !upgrade && one(headers['sec-fetch-mode']) === 'navigate'
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isVisit)
    return 'Not for pages of another origin'
  return undefined
}

function isOurs(host: string, names: readonly string[]): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i.exec(host)
  if (!match) return false
  const name = match[1]!.replace(/^\[|\]$/g, '').toLowerCase()
  return isIP(name) !== 0 || names.includes(name)
}

function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The value of one cookie; undefined when it is not there. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2)
    if (key === name) return value
  }
  return undefined
}

/** Whether an address is reached from this machine alone. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127(\.\d{1,3}){3}$/.test(address)
}

/** The place that a request names; undefined for what is none, such as "//". */
export function placeOf(target: string | undefined): URL | undefined {
  return target?.startsWith('/') && !target.startsWith('//')
    ? (URL.parse(target, 'http://any') ?? undefined)
    : undefined
}
