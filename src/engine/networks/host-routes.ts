/** Which IPv4 subnets the host already reaches: its routes and its own addresses. */
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { parseSubnet, type Subnet } from './address.ts'

/** A route so wide that it means "everything else" (a VPN's 0.0.0.0/1) keeps no subnet from being used. */
const narrowest = 8

/** /proc/net/route: destination and mask are hex in the machine's byte order. */
export function parseRoutes(text: string): Subnet[] {
  const subnets: Subnet[] = []
  for (const line of text.split('\n').slice(1)) {
    const columns = line.split(/\s+/)
    const [destination, mask] = [hex(columns[1]), hex(columns[7])]
    if (destination === undefined || mask === undefined) continue
    const prefix = mask.toString(2).replaceAll('0', '').length
    if (prefix >= narrowest) subnets.push({ family: 4, base: BigInt(destination), prefix })
  }
  return subnets
}

function hex(text: string | undefined): number | undefined {
  if (!/^[0-9A-F]{8}$/.test(text ?? '')) return undefined
  return Buffer.from(text!, 'hex').readUInt32LE()
}

export function hostSubnets(): Subnet[] {
  const own = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? [])
  return [
    ...parseRoutes(readFileSync('/proc/net/route', 'utf8')),
    ...own.flatMap(({ cidr }) => (cidr === null ? [] : (parseSubnet(cidr) ?? []))),
  ]
}
