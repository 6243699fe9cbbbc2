/** Where the names of registries lead: a name is as good as the addresses that it stands for. */
import { lookup as systemLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { insecureAddress, isInsecure, isLoopback, type RegistrySettings } from './settings.ts'

export interface Address {
  readonly address: string
  readonly family: number
}

export interface Place {
  /** It may be spoken to without TLS, or by TLS that nobody vouches for. */
  readonly insecure: boolean
  /** It is this machine. */
  readonly here: boolean
  /** What made it so where its name alone did not: no other address may be connected to, whatever the name stands for by then. */
  readonly pinned?: readonly Address[]
}

type Lookup = (hostname: string) => Promise<readonly Address[]>

export class Places {
  readonly #settings: RegistrySettings
  readonly #lookup: Lookup
  readonly #found = new Map<string, Promise<readonly Address[]>>()

  constructor(settings: RegistrySettings, lookup: Lookup = hostname => systemLookup(hostname, { all: true })) {
    this.#settings = settings
    this.#lookup = lookup
  }

  /** As Docker has it, one address of a name in loopback or in such a range is enough. Behind a proxy it is the proxy that looks names up. */
  async of(url: URL): Promise<Place> {
    const { hostname } = url
    const here = isLoopback(hostname)
    if (isInsecure(url, this.#settings)) return { insecure: true, here }
    const { http, https } = this.#settings.proxy
    if (isIP(hostname.replace(/^\[|\]$/g, '')) || http || https) return { insecure: false, here }
    const pinned = await this.#insecureAddresses(hostname)
    if (pinned.length === 0) return { insecure: false, here }
    return { insecure: true, here: pinned.some(({ address }) => isLoopback(address)), pinned }
  }

  async #insecureAddresses(hostname: string): Promise<readonly Address[]> {
    let asked = this.#found.get(hostname)
    // a name that stands for nothing is told by the request itself
    if (!asked) this.#found.set(hostname, (asked = this.#lookup(hostname).catch(() => [])))
    return (await asked).filter(({ address }) => insecureAddress(address, this.#settings))
  }
}

/** For connections to what is pinned. */
export function lookupOf(pinned: readonly Address[]): LookupFunction {
  return (_hostname, options, found) => {
    if (options.all) found(null, [...pinned])
    else found(null, pinned[0]!.address, pinned[0]!.family)
  }
}
