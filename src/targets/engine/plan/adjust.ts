/** What can be put right on a container as it is, and what of its limits and networks needs a new one. */
import type { ContainerUpdate, EndpointSettings, HostConfig } from '../../../api/container-body.ts'
import { stableHash } from '../../../lib/stable-json.ts'
import type { Change } from '../../../plan/change.ts'
import { labels, parseFields } from '../labels.ts'
import type { ObservedContainer, ObservedNetwork } from '../observed.ts'
import { valueChanges } from './field-changes.ts'
import type { Hashed } from './hash.ts'
import { limitDifference } from './live-limits.ts'
import { type NetworkDifference, networkDifferences } from './live-networks.ts'

export interface WantedLive {
  readonly hashed: Hashed
  readonly host: HostConfig
  /** By the network's name; undefined when its network is no matter of the stack's networks. */
  readonly endpoints:
    | Readonly<Record<string, { readonly key: string; readonly endpoint: EndpointSettings }>>
    | undefined
  /** "shop-db-1:db", where they are the container's own and not those of its networks. */
  readonly links: readonly string[] | undefined
  /** Names of networks that are made anew: what was in the old one is put into the new one in any case. */
  readonly anew: ReadonlySet<string>
  /** Whether the machine can limit swap; undefined: nobody knows. */
  readonly swap: boolean | undefined
  /** Network of that name → its key, when it is one of the stack's. */
  readonly keyOf: (name: string) => string | undefined
}

export interface Adjustment {
  readonly update: ContainerUpdate | undefined
  readonly updated: readonly Change[]
  readonly networks: readonly NetworkDifference[]
}

export interface Comparison {
  /** Those for which a new container is needed. */
  readonly forced: readonly Change[]
  readonly adjustment: Adjustment | undefined
}

/** No difference. */
export const nothing: Comparison = { forced: [], adjustment: undefined }

export function compareLive(wanted: WantedLive, container: ObservedContainer): Comparison {
  const { live } = container
  if (!live) return nothing
  const before = parseFields(container.labels[labels.fields]) ?? {}
  const since = (field: string) => before[field] !== undefined && before[field] === wanted.hashed.fields[field]
  const limits = limitDifference(wanted.host, live.host, { made: since, swap: wanted.swap })
  const networks = wanted.endpoints && comparedNetworks({ ...wanted, endpoints: wanted.endpoints }, container, before)
  const links = wanted.links ? valueChanges('links', (live.host.Links ?? []).map(linkText), wanted.links) : []
  const forced = [...limits.forced, ...(networks?.forced ?? []), ...links]
  const adjustment = {
    update: limits.changes.length > 0 ? limits.update : undefined,
    updated: limits.changes,
    networks: networks?.differences ?? [],
  }
  return { forced, adjustment: adjustment.update || adjustment.networks.length > 0 ? adjustment : undefined }
}

/** "/shop-db-1:/shop-web-1/db", as inspect shows a link, as it was asked for. */
function linkText(shown: string): string {
  return shown.replace(/^\//, '').replace(/:\/[^/]*\//, ':')
}

/** All that differs, in place or not. */
export function changesOf({ forced, adjustment }: Comparison): readonly Change[] {
  return [...forced, ...(adjustment?.updated ?? []), ...(adjustment?.networks.flatMap(({ changes }) => changes) ?? [])]
}

function comparedNetworks(
  { endpoints, anew, keyOf }: WantedLive & { readonly endpoints: NonNullable<WantedLive['endpoints']> },
  container: ObservedContainer,
  before: Readonly<Record<string, string>>,
) {
  const { id, networkMode, live } = container
  const made = (name: string) => {
    const hash = stableHash(name).slice(0, 8)
    return Object.keys(before).find(field => field.startsWith('networks.') && before[field] === hash)
  }
  const differences = networkDifferences({
    containerId: id,
    there: live!.endpoints,
    wanted: endpoints,
    ours: name => keyOf(name) ?? made(name)?.slice('networks.'.length),
  }).filter(({ name }) => !(anew.has(name) && Object.hasOwn(live!.endpoints, name)))
  // an engine looks for the network that a container was made with at every start
  const own = networkMode !== '' && !Object.hasOwn(endpoints, networkMode)
  const isEmpty = Object.keys(endpoints).length === 0 && networkMode === 'none'
  const forced = !own || isEmpty ? [] : [leftNetwork(networkMode, keyOf(networkMode), endpoints)]
  const paths = new Set(forced.map(({ path }) => path))
  return { forced, differences: differences.filter(({ changes }) => !changes.some(({ path }) => paths.has(path))) }
}

/** What is told of the network that it was made with: that it leaves it, or for which other one of the same key. */
function leftNetwork(
  name: string,
  key: string | undefined,
  endpoints: NonNullable<WantedLive['endpoints']>,
): Change & { readonly from: string } {
  const instead = Object.keys(endpoints).find(each => endpoints[each]!.key === key)
  const path = `networks.${key ?? name}`
  return instead === undefined ? { path, from: 'connected' } : { path, from: name, to: instead }
}

/** The stack's key of a network, by what it declares and by what it has made. */
export function networkKey(
  declared: Readonly<Record<string, { readonly key: string; readonly name: string }>>,
  networks: ReadonlyMap<string, ObservedNetwork>,
  project: string,
): (name: string) => string | undefined {
  const keys = new Map(Object.values(declared).map(({ name, key }) => [name, key]))
  return name => {
    const own = networks.get(name)?.labels
    return keys.get(name) ?? (own?.[labels.project] === project ? own[labels.network] : undefined)
  }
}
