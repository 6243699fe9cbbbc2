/** The texts of a container's /etc/hosts, /etc/hostname and /etc/resolv.conf. */
import { isIP } from 'node:net'
import { Failure } from '../../lib/failure.ts'

/** A line of /etc/hosts. */
export interface HostLine {
  readonly address: string
  readonly names: readonly string[]
}

/** Where a sandbox's own name server listens. */
export const dnsAddress = '127.0.0.11'

export interface HostsOptions {
  readonly hostname: string
  readonly domainname?: string | undefined
  /** The container's own, without prefix length; none with the host's network. */
  readonly addresses: readonly string[]
  /** "name:address" or "name=address"; the address may be "host-gateway". */
  readonly extraHosts: readonly string[]
  /** The containers it is linked to. */
  readonly links?: readonly HostLine[]
  /** What host-gateway stands for. */
  readonly hostGateway?: readonly string[]
  /** The host's own /etc/hosts: network mode host shows it in place of the generated lines. */
  readonly host?: string | undefined
}

export interface ResolvConfOptions {
  /** The host's /etc/resolv.conf. */
  readonly host: string
  /** Whether 127.0.0.11 answers: on every network but the default bridge and the host's. */
  readonly internal: boolean
  /** On the default bridge, from where no name server on the host's loopback is reached, and one by IPv6 only with such an address. */
  readonly bridge?: { readonly ipv6: boolean } | undefined
  /** Of the container itself: `dns`, `dns_search`, `dns_opt`; empty ones leave the host's. */
  readonly servers: readonly string[]
  readonly search: readonly string[]
  readonly options: readonly string[]
}

export interface ResolvConf {
  readonly servers: readonly string[]
  readonly search: readonly string[]
  readonly options: readonly string[]
}

const fixedHosts = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
]

/** @throws Failure `invalid` for an extra host without an address. */
export function hostsText(options: HostsOptions): string {
  const extra = options.extraHosts.flatMap(line => {
    const [name, address] = splitExtraHost(line)
    const addresses = address === 'host-gateway' ? (options.hostGateway ?? []) : [address]
    if (addresses.length === 0)
      throw new Failure('invalid', `Cannot add host "${name}": host-gateway has no address without a bridge network`)
    return addresses.map(each => `${each}\t${name}`)
  })
  if (options.host !== undefined) return `${options.host.replace(/\n*$/, '\n')}${lines(extra)}`
  const linked = (options.links ?? []).map(lineOf)
  const full = options.domainname ? `${options.hostname}.${options.domainname}` : options.hostname
  // a name with a domain is found by its first part too
  const names = full.includes('.') ? [full, full.slice(0, full.indexOf('.'))] : [full]
  return lines([...fixedHosts, ...extra, ...linked, ...options.addresses.map(address => lineOf({ address, names }))])
}

function lineOf({ address, names }: HostLine): string {
  return `${address}\t${names.join(' ')}`
}

/**
 * A hosts file in which the line that has all of `names` is put at another address, or is taken out where there is none. Every other
 * line stays as it is: the container may have written some.
 */
export function movedHost(text: string, names: readonly string[], address: string | undefined): string {
  return text
    .split('\n')
    .flatMap(line => {
      const [, held = ''] = line.split('\t')
      const all = held.split(' ')
      if (!names.every(name => all.includes(name))) return [line]
      return address === undefined ? [] : [lineOf({ address, names: all })]
    })
    .join('\n')
}

/** "name:::1", "name=::1", "name:10.0.0.1", "name:[::1]"; a name has no colon. */
export function splitExtraHost(line: string): [name: string, address: string] {
  const at = line.search(/[:=]/)
  const name = line.slice(0, at)
  const address = line.slice(at + 1).replace(/^\[(.*)\]$/, '$1')
  if (at < 1 || /\s/.test(name) || (address !== 'host-gateway' && isIP(address) === 0))
    throw new Failure('invalid', `invalid IP address in add-host: "${line}"`)
  return [name, address]
}

export function hostnameText(hostname: string): string {
  return `${hostname}\n`
}

/** resolv.conf(5): the last search line counts, options add up. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = []
  let search: string[] = []
  const options: string[] = []
  for (const line of text.split('\n')) {
    const [word, ...rest] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    if (word === 'nameserver' && rest[0]) servers.push(rest[0])
    if ((word === 'search' || word === 'domain') && rest[0]) search = rest
    if (word === 'options') options.push(...rest)
  }
  return { servers, search, options }
}

/**
 * With our own server: that one alone, names without a dot tried as they are first. Without it (default bridge, host): the
 * container's own servers or the host's, on the default bridge those of them that can be reached from there.
 */
export function resolvConfText(options: ResolvConfOptions): string {
  const host = parseResolvConf(options.host)
  // "." asks for no search list at all
  const search = options.search.length > 0 ? options.search.filter(domain => domain !== '.') : host.search
  const given = options.options.length > 0 ? options.options : host.options
  const wanted = options.internal && !given.some(option => option.startsWith('ndots:')) ? [...given, 'ndots:0'] : given
  const usual = options.bridge ? reachable(host.servers, options.bridge) : host.servers
  const servers = options.internal ? [dnsAddress] : options.servers.length > 0 ? options.servers : usual
  return lines([
    ...servers.map(server => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(wanted.length > 0 ? [`options ${wanted.join(' ')}`] : []),
  ])
}

/** Whether the host asks systemd-resolved alone, which listens on the loopback and keeps the servers behind it in a file of its own. */
export function asksResolved(hostText: string): boolean {
  const { servers } = parseResolvConf(hostText)
  return servers.length === 1 && servers[0] === '127.0.0.53'
}

/** Where none is left: the public ones that Docker takes. */
function reachable(servers: readonly string[], { ipv6 }: { readonly ipv6: boolean }): readonly string[] {
  const left = servers.filter(server => !isLoopback(server) && (ipv6 || isIP(server.split('%')[0]!) === 4))
  if (left.length > 0) return left
  return [...publicServers.ipv4, ...(ipv6 ? publicServers.ipv6 : [])]
}

function isLoopback(server: string): boolean {
  return server.startsWith('127.') || server === '::1'
}

const publicServers = {
  ipv4: ['8.8.8.8', '8.8.4.4'],
  ipv6: ['2001:4860:4860::8888', '2001:4860:4860::8844'],
} as const

function lines(all: readonly string[]): string {
  return all.map(line => `${line}\n`).join('')
}
