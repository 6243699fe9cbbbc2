/** Ports of EXPOSE: "80", "8000-8010/udp"; addresses and ports of the host before them are read, and mean nothing. */
import { type PortRange, parsePortRange, portsOf } from '../../lib/ports.ts'
import { invalid } from './source-failure.ts'
import { goQuote } from './text.ts'

export interface Exposed {
  /** As it is written. */
  readonly word: string
  /** "80/tcp", each of a range. */
  readonly ports: readonly string[]
  /** The protocol has upper-case letters. */
  readonly oddCase: boolean
  /** It has an address or a port of the host. */
  readonly ofHost: boolean
}

/** @throws Failure `invalid` in BuildKit's words. */
export function parseExposed(word: string): Exposed {
  const parts = word.split(':')
  const [address, hostPort, port] = [parts.slice(0, -2).join(':'), parts.at(-2) ?? '', parts.at(-1)!]
  const slash = port.indexOf('/')
  const ports = slash < 0 ? port : port.slice(0, slash)
  const protocol = slash < 0 ? '' : port.slice(slash + 1)
  if (ports === '') throw invalid(`invalid port: ${goQuote(word)}: no port specified`)
  if (!/^(?:tcp|udp|sctp)?$/i.test(protocol)) {
    throw invalid(`invalid port: ${goQuote(word)}: invalid proto: ${protocol}`)
  }
  const bare = address.replace(/^\[(.*)\]$/, '$1')
  if (bare !== '' && !isAddress(bare)) throw invalid(`invalid IP address: ${bare}`)
  const range = parseRange(ports)
  if (!range) throw invalid(`invalid containerPort: ${ports}`)
  checkHostPort(hostPort, ports, range)
  return {
    word,
    ports: portsOf(range).map(each => `${each}/${protocol.toLowerCase() || 'tcp'}`),
    oddCase: protocol !== protocol.toLowerCase(),
    ofHost: address !== '' || hostPort !== '',
  }
}

function checkHostPort(hostPort: string, ports: string, range: PortRange): void {
  if (hostPort === '') return
  const host = parseRange(hostPort)
  if (!host) throw invalid(`invalid hostPort: ${hostPort}`)
  const length = range[1] - range[0]
  if (length > 0 && length !== host[1] - host[0]) {
    throw invalid(`invalid ranges specified for container and host Ports: ${ports} and ${hostPort}`)
  }
}

/** Signs are let through, as Go's numbers may have them. */
function parseRange(text: string): PortRange | undefined {
  return parsePortRange(text.replaceAll(/(^|-)\+(?=\d)/g, '$1'))
}

const isAddress = (text: string): boolean =>
  text.includes(':')
    ? URL.canParse(`http://[${text}]`)
    : /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) && text.split('.').every(part => Number(part) <= 255)
