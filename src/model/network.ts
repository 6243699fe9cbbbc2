/** A network of the stack, and how a service is attached to one. */
import type { Strings } from './strings.ts'

export interface Network {
  /** The key in the stack. */
  readonly key: string
  /** The engine's name for it: `shop_default`, or `name:`. */
  readonly name: string
  /** Made by somebody else; must exist, is never created or removed. */
  readonly external: boolean
  /** Undefined: the engine's default. */
  readonly driver?: string
  readonly driverOpts: Strings
  readonly ipam: Ipam
  readonly internal: boolean
  readonly attachable: boolean
  readonly enableIPv4?: boolean
  readonly enableIPv6?: boolean
  readonly labels: Strings
}

export interface Ipam {
  readonly driver?: string
  readonly config: readonly IpamPool[]
  readonly options: Strings
}

export interface IpamPool {
  readonly subnet?: string
  readonly ipRange?: string
  readonly gateway?: string
  readonly auxAddresses: Strings
}

export type NetworkMode =
  /** The attachments in `networks`. */
  | { readonly kind: 'networks' }
  | { readonly kind: 'host' | 'none' }
  | { readonly kind: 'service'; readonly service: string }
  | { readonly kind: 'container'; readonly container: string }
  /** `bridge`, `default`, or the name of an engine's network. */
  | { readonly kind: 'other'; readonly value: string }

export interface Attachment {
  /** The network's key in the stack. */
  readonly network: string
  readonly aliases: readonly string[]
  readonly ipv4Address?: string
  readonly ipv6Address?: string
  readonly linkLocalIPs: readonly string[]
  readonly macAddress?: string
  readonly interfaceName?: string
  readonly driverOpts: Strings
  readonly priority: number
  readonly gwPriority: number
}
