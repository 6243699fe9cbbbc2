/** Endpoints of networks. */
import type { EndpointSettings } from './container-body.ts'
import { empty, endpoint, json, table } from './endpoint.ts'

type StringMap = Readonly<Record<string, string>>

export interface IpamPool {
  readonly Subnet?: string
  readonly IPRange?: string
  readonly Gateway?: string
  readonly AuxiliaryAddresses?: StringMap | null
}
export interface Ipam {
  readonly Driver?: string
  readonly Options?: StringMap | null
  readonly Config?: readonly IpamPool[] | null
}

export interface NetworkCreate {
  readonly Name: string
  readonly Driver?: string
  readonly Scope?: string
  readonly EnableIPv4?: boolean
  readonly EnableIPv6?: boolean
  readonly IPAM?: Ipam
  readonly Internal?: boolean
  readonly Attachable?: boolean
  readonly Ingress?: boolean
  readonly ConfigOnly?: boolean
  readonly ConfigFrom?: { readonly Network?: string }
  readonly Options?: StringMap
  readonly Labels?: StringMap
  /** Of old clients; names are unique in any case. */
  readonly CheckDuplicate?: boolean
}

export interface NetworkCreated {
  readonly Id: string
  readonly Warning: string
}

export interface NetworkContainer {
  readonly Name: string
  readonly EndpointID: string
  readonly MacAddress: string
  /** With its prefix length. */
  readonly IPv4Address: string
  readonly IPv6Address: string
}

export interface NetworkInspect {
  readonly Name: string
  readonly Id: string
  readonly Created: string
  readonly Scope: string
  readonly Driver: string
  readonly EnableIPv4?: boolean
  readonly EnableIPv6: boolean
  readonly IPAM: Ipam
  readonly Internal: boolean
  readonly Attachable: boolean
  readonly Ingress: boolean
  readonly ConfigFrom?: { readonly Network: string }
  readonly ConfigOnly?: boolean
  /** Running ones, by id; the list leaves it empty. */
  readonly Containers?: Readonly<Record<string, NetworkContainer>> | null
  readonly Options: StringMap | null
  readonly Labels: StringMap | null
}

export interface NetworkConnect {
  readonly Container: string
  readonly EndpointConfig?: EndpointSettings
}
export interface NetworkDisconnect {
  readonly Container: string
  readonly Force?: boolean
}

export interface NetworksPruned {
  readonly NetworksDeleted: readonly string[] | null
}

export const networkEndpoints = table({
  networkList: endpoint('GET', '/networks', {
    query: { filters: 'filters' },
    reply: json<readonly NetworkInspect[]>(),
  }),
  /** Older clients ask so. */
  networkListOld: endpoint('GET', '/networks/', {
    query: { filters: 'filters' },
    reply: json<readonly NetworkInspect[]>(),
  }),
  networkCreate: endpoint('POST', '/networks/create', {
    body: json<NetworkCreate>(({ z, flag, maybe, stringMap, text }) =>
      z.object({
        // Docker answers 400 on an empty name itself, so that is left to the engine
        Name: z.string(),
        Driver: text,
        Scope: text,
        EnableIPv4: flag,
        EnableIPv6: flag,
        IPAM: maybe(
          z.object({
            Driver: text,
            Options: stringMap,
            Config: maybe(
              z.array(z.object({ Subnet: text, IPRange: text, Gateway: text, AuxiliaryAddresses: stringMap })).max(64),
            ),
          }),
        ),
        Internal: flag,
        Attachable: flag,
        Ingress: flag,
        ConfigOnly: flag,
        ConfigFrom: maybe(z.object({ Network: text })),
        Options: stringMap,
        Labels: stringMap,
        // a string in docker-compose 1
        CheckDuplicate: z
          .unknown()
          .optional()
          .transform(() => undefined),
      }),
    ),
    reply: json<NetworkCreated>(),
    status: 201,
  }),
  networkPrune: endpoint('POST', '/networks/prune', {
    query: { filters: 'filters' },
    reply: json<NetworksPruned>(),
  }),
  networkInspect: endpoint('GET', '/networks/{id}', {
    query: { verbose: 'boolean', scope: 'string' },
    reply: json<NetworkInspect>(),
  }),
  networkRemove: endpoint('DELETE', '/networks/{id}', {}),
  networkConnect: endpoint('POST', '/networks/{id}/connect', {
    body: json<NetworkConnect>(({ z, endpointSettings, maybe }) =>
      z.object({ Container: z.string().default(''), EndpointConfig: maybe(endpointSettings) }),
    ),
    reply: empty,
    status: 200,
  }),
  networkDisconnect: endpoint('POST', '/networks/{id}/disconnect', {
    body: json<NetworkDisconnect>(({ z, flag }) => z.object({ Container: z.string().default(''), Force: flag })),
    reply: empty,
    status: 200,
  }),
})
