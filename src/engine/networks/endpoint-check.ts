/** What an endpoint asks of a network, against what that network has: in Docker's words; pure. */
import { Failure } from '../../lib/failure.ts'
import { contains, type Family, parseAddress, parseMac, parseSubnet } from './address.ts'
import type { EndpointRequest } from './endpoint-request.ts'
import type { Network } from './network.ts'

/** What is looked at of a network. */
type Asked = Pick<Network, 'isPredefined'> & { readonly record: Pick<Network['record'], 'pools'> }

/** @throws Failure `invalid` with all that is wrong. `network`: undefined while there is none of that name. */
export function checkEndpoint(network: Asked | undefined, request: EndpointRequest): void {
  if (request.macAddress && !parseMac(request.macAddress))
    throw new Failure('invalid', `invalid MAC address ${request.macAddress}`)
  const wrong = [
    ...(network?.isPredefined ? ofPredefined(request) : []),
    ...forms(request),
    ...(network ? [...outside(network, 4, request.ipv4Address), ...outside(network, 6, request.ipv6Address)] : []),
  ]
  if (wrong.length === 0) return
  const lines = wrong.length === 1 ? wrong : wrong.map(line => `* ${line}`)
  throw new Failure('invalid', `invalid endpoint settings:\n${lines.join('\n')}`)
}

function ofPredefined({ ipv4Address, ipv6Address, aliases }: EndpointRequest): string[] {
  return [
    ...(ipv4Address || ipv6Address ? ['user specified IP address is supported on user defined networks only'] : []),
    ...(aliases.length > 0 ? ['network-scoped alias is supported only for containers in user defined networks'] : []),
  ]
}

function forms({ ipv4Address, ipv6Address, linkLocalIPs }: EndpointRequest): string[] {
  const isBad = (family: Family, text: string | undefined) => text !== undefined && !isOf(family, text)
  return [
    ...(isBad(4, ipv4Address) ? [`invalid IPv4 address: ${ipv4Address}`] : []),
    ...(isBad(6, ipv6Address) ? [`invalid IPv6 address: ${ipv6Address}`] : []),
    ...linkLocalIPs.filter(text => !parseAddress(text)).map(text => `invalid link-local IP address: ${text}`),
  ]
}

/** The address of nobody is none, nor is one of the other family in this one's clothes (RFC 4291, 2.5.5.2). */
function isOf(family: Family, text: string): boolean {
  const address = parseAddress(text)
  return address?.family === family && address.value !== 0n && !(family === 6 && address.value >> 32n === 0xffffn)
}

/** Only in subnets that somebody has chosen may an address be chosen. */
function outside({ isPredefined, record }: Asked, family: Family, text: string | undefined): string[] {
  if (text === undefined) return []
  const subnets = record.pools
    .filter(({ automatic }) => !automatic && !isPredefined)
    .flatMap(({ subnet }) => parseSubnet(subnet) ?? [])
    .filter(subnet => subnet.family === family)
  const address = parseAddress(text)
  if (address && isOf(family, text) && subnets.some(subnet => contains(subnet, address))) return []
  return [
    subnets.length > 0
      ? `no configured subnet or ip-range contain the IP address ${text}`
      : 'user specified IP address is supported only when connecting to networks with user configured subnets',
  ]
}
