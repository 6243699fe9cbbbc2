/** A container's place in a network: what is asked, and what it became, down to the veth pair. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { EndpointSettings } from '../../api/container-body.ts'
import type { InterfaceSpec } from '../../runtime/spec.ts'
import { type NetworkRecord, networkSchema } from './network.ts'

/** Who is attached. */
export interface Member {
  readonly id: string
  readonly name: string
  readonly hostname?: string | undefined
  /** What it belongs to: members of one group see each other's names first. */
  readonly group?: string | undefined
  /** Has ports on the host. */
  readonly publishes?: boolean
  /** No event tells of it: what it is part of is in no list. */
  readonly silent?: boolean
}

export const attachmentSchema = z.object({
  network: z.string(),
  networkId: z.string(),
  endpointId: z.string(),
  /** CIDR. */
  ipv4: z.string().optional(),
  ipv6: z.string().optional(),
  gateway: z.string().optional(),
  gateway6: z.string().optional(),
  mac: z.string(),
  aliases: z.array(z.string()).readonly(),
  links: z.array(z.string()).readonly(),
  /** What other containers of the network know it by. */
  dnsNames: z.array(z.string()).readonly(),
  gwPriority: z.number(),
  /** The network's record as it was then: what it is made again of when that is lost. */
  record: networkSchema.optional(),
  interface: z.object({
    host: z.string(),
    name: z.string(),
    bridge: z.string(),
    mac: z.string(),
    addresses: z.array(z.string()).readonly(),
    gateways: z.array(z.string()).readonly(),
    mtu: z.number(),
    isolated: z.boolean(),
    hairpin: z.boolean().default(false),
    sysctls: z
      .array(z.object({ path: z.string(), value: z.string() }))
      .readonly()
      .default([]),
    cause: z.string(),
  }),
})

/** Plain data: a container's state keeps it, and `Networks.adopt` takes it back after an engine restart. */
export interface Attachment {
  readonly network: string
  readonly networkId: string
  readonly endpointId: string
  readonly ipv4?: string | undefined
  readonly ipv6?: string | undefined
  readonly gateway?: string | undefined
  readonly gateway6?: string | undefined
  readonly mac: string
  readonly aliases: readonly string[]
  readonly links: readonly string[]
  readonly dnsNames: readonly string[]
  readonly gwPriority: number
  readonly record?: NetworkRecord | undefined
  readonly interface: InterfaceSpec
}

/** Attachments as Docker's inspect shows them under NetworkSettings.Networks. */
export function endpointSettings(attachment: Attachment): EndpointSettings {
  const [address = '', prefix = '0'] = (attachment.ipv4 ?? '').split('/')
  const [address6 = '', prefix6 = '0'] = (attachment.ipv6 ?? '').split('/')
  return {
    IPAMConfig: null,
    Links: attachment.links.length === 0 ? null : attachment.links,
    Aliases: attachment.aliases.length === 0 ? null : attachment.aliases,
    MacAddress: attachment.mac,
    DriverOpts: null,
    GwPriority: attachment.gwPriority,
    NetworkID: attachment.networkId,
    EndpointID: attachment.endpointId,
    Gateway: attachment.gateway ?? '',
    IPAddress: address,
    IPPrefixLen: Number(prefix),
    IPv6Gateway: attachment.gateway6 ?? '',
    GlobalIPv6Address: address6,
    GlobalIPv6PrefixLen: Number(prefix6),
    DNSNames: attachment.dnsNames,
  }
}

/**
 * The link address of whoever has this address on this network: locally administered, and always the same, so that the caches of
 * neighbours, the host's among them, stay right when another container comes to have the address. Nothing tells them: an entry that
 * was confirmed a moment ago is believed for half a minute.
 */
export function linkAddress(networkId: string, address: string): string {
  const hash = createHash('sha256').update(`${networkId} ${address}`).digest()
  const first = ((hash[0]! & 0xfc) | 0x02).toString(16).padStart(2, '0')
  return [first, ...Array.from(hash.subarray(1, 6), byte => byte.toString(16).padStart(2, '0'))].join(':')
}

/** One candidate for the default route. */
export interface RouteCandidate {
  readonly network: string
  readonly internal: boolean
  readonly gwPriority: number
}

/** Which endpoint has the default route: the highest gw_priority, then the first by name; never one of an internal network. */
export function defaultRoute<T extends RouteCandidate>(candidates: readonly T[]): T | undefined {
  return candidates
    .filter(candidate => !candidate.internal)
    .toSorted((a, b) => b.gwPriority - a.gwPriority || (a.network < b.network ? -1 : a.network > b.network ? 1 : 0))[0]
}

/** Container name, aliases, short id, hostname: in Docker's order, each once. */
export function namesOf(member: Member, aliases: readonly string[]): string[] {
  const names = [member.name, ...aliases, member.id.slice(0, 12), ...(member.hostname ? [member.hostname] : [])]
  return [...new Set(names)]
}
