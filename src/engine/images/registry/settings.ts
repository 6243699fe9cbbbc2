/** How registries are reached: what may be spoken to without TLS, who is asked first, whose certificates count, through which proxy. */
import { BlockList, isIP } from 'node:net'
import { Failure } from '../../../lib/failure.ts'

export interface RegistrySettings {
  /** "HOST", "HOST:PORT" or a range ("10.0.0.0/8") that may be spoken to without TLS, or by TLS that nobody vouches for; loopback always. */
  readonly insecure: readonly string[]
  /** URLs asked before the hub, in their order; "HOST=URL" for another registry. They never get credentials. */
  readonly mirrors: readonly string[]
  /** Folders with a folder HOST:PORT each: *.crt are authorities, NAME.cert and NAME.key who we are. */
  readonly certificates: readonly string[]
  /** As HTTP_PROXY, HTTPS_PROXY and NO_PROXY have it. */
  readonly proxy: {
    readonly http?: string | undefined
    readonly https?: string | undefined
    readonly no?: string | undefined
  }
  /** Silence on a connection after which it is given up, ms. */
  readonly patience: number
  /** How often in a row something is tried again without getting any further. */
  readonly retries: number
  /** Before the first retry, ms; doubled for each one after it. */
  readonly backoff: number
  /** Up to so many bytes of a blob are sent in one go, more in pieces of this size. */
  readonly piece: number
}

export const defaultSettings: RegistrySettings = {
  insecure: [],
  mirrors: [],
  certificates: ['/etc/tscompose/certs.d', '/etc/docker/certs.d'],
  proxy: {},
  patience: 60_000,
  retries: 6,
  backoff: 500,
  piece: 64 * 1024 * 1024,
}

/** 127.0.0.0/8, ::1 and localhost, which resolvers must not send elsewhere (RFC 6761). */
export function isLoopback(hostname: string): boolean {
  return /^127(?:\.\d{1,3}){3}$/.test(hostname) || ['[::1]', '::1', 'localhost'].includes(hostname)
}

/** Whether a registry may be spoken to without TLS, by its name alone. */
export function isInsecure({ host, hostname }: Pick<URL, 'host' | 'hostname'>, settings: RegistrySettings): boolean {
  if (isLoopback(hostname)) return true
  return settings.insecure.some(each => each === host || each === hostname || inRange(hostname, each))
}

/** Whether an address lies in loopback or in a range that may be spoken to without TLS. */
export function insecureAddress(address: string, { insecure }: RegistrySettings): boolean {
  return isLoopback(address) || insecure.some(each => inRange(address, each))
}

/** Whether it is an address and how many of its bits count: "10.0.0.0/8". */
export function isRange(text: string): boolean {
  const [, network = '', bits] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const family = isIP(network)
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128)
}

function inRange(hostname: string, range: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '')
  const [network = '', bits] = range.split('/')
  const family = isIP(network)
  if (!isRange(range) || isIP(address) !== family) return false
  const type = family === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(network, Number(bits), type)
  return list.check(address, type)
}

/** The mirrors of a registry, "docker.io" being the hub. */
export function mirrorsOf(domain: string, { mirrors }: RegistrySettings): readonly URL[] {
  return mirrors.flatMap(each => {
    const [, host = 'docker.io', text = each] = /^([^=/]+)=(.+)$/.exec(each) ?? []
    return host === domain ? [new URL(text)] : []
  })
}

/** @throws Failure `invalid` for what is no mirror. */
export function checkMirror(text: string): void {
  const url = URL.parse(text.replace(/^[^=/]+=/, ''))
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.search || url.hash)
    throw new Failure('invalid', `Cannot use registry mirror "${text}": it should be a URL, or HOST=URL`)
}

/** @throws Failure `invalid` for what is no host and no range. */
export function checkInsecure(text: string): void {
  if (!/^(?:[\w.-]+|\[[0-9a-f:]+\])(?::\d+)?$/i.test(text) && !isRange(text))
    throw new Failure('invalid', `Cannot use insecure registry "${text}": it should be HOST, HOST:PORT or a range`)
}
