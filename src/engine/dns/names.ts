/** Which names a container sees: network → name → members, looked up from one container's point of view. Pure. */

/** A member of a network, with the addresses it has there. */
export interface NameEntry {
  readonly containerId: string
  readonly networkId: string
  readonly networkName: string
  /** Container name, aliases, short id; the first is the one a reverse look-up gives. */
  readonly names: readonly string[]
  /** What the container belongs to; undefined: to nothing. */
  readonly group?: string | undefined
  /** Names only this container sees, of others on the network: alias → name there. */
  readonly links?: Readonly<Record<string, string>>
  readonly ipv4?: string | undefined
  readonly ipv6?: string | undefined
  /** Whether the network has no way out. */
  readonly internal: boolean
}

export interface Answer {
  readonly ipv4: readonly string[]
  readonly ipv6: readonly string[]
}

interface NetworkNames {
  readonly name: string
  readonly members: Map<string, Set<NameEntry>>
  readonly addresses: Map<string, NameEntry>
}

/** Names compare as DNS compares them: without case, without the root's dot. */
function folded(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

export class Names {
  readonly #networks = new Map<string, NetworkNames>()
  readonly #containers = new Map<string, Map<string, NameEntry>>()
  /** Every name there ever was: such a name is never asked of the outside, even while its container is stopped. */
  readonly #known = new Set<string>()
  /** Of those that have a group and do not run now: their names are still their group's. */
  readonly #absent = new Map<string, NameEntry[]>()
  /** Containers that give way to others of the same name. */
  readonly #stepsBack = new Set<string>()
  #version = 0

  /** Another number whenever a look-up may give something else. */
  get version(): number {
    return this.#version
  }

  /** Whether it answers to its names only where nobody else does, and to itself. */
  stepBack(containerId: string, does: boolean): void {
    this.#version++
    if (does) this.#stepsBack.add(containerId)
    else this.#stepsBack.delete(containerId)
  }

  add(entry: NameEntry): void {
    this.#version++
    this.remove(entry.containerId, entry.networkId)
    this.#absent.delete(entry.containerId)
    let network = this.#networks.get(entry.networkId)
    if (!network) {
      network = { name: folded(entry.networkName), members: new Map(), addresses: new Map() }
      this.#networks.set(entry.networkId, network)
    }
    for (const name of entry.names.map(folded)) {
      this.#known.add(name)
      const members = network.members.get(name)
      if (members) members.add(entry)
      else network.members.set(name, new Set([entry]))
    }
    for (const address of [entry.ipv4, entry.ipv6]) if (address) network.addresses.set(address, entry)
    const own = this.#containers.get(entry.containerId)
    if (own) own.set(entry.networkId, entry)
    else this.#containers.set(entry.containerId, new Map([[entry.networkId, entry]]))
  }

  /** From one network, or from all. */
  remove(containerId: string, networkId?: string): void {
    this.#version++
    const own = this.#containers.get(containerId)
    for (const entry of [...(own?.values() ?? [])]) {
      if (networkId !== undefined && entry.networkId !== networkId) continue
      own?.delete(entry.networkId)
      this.#forget(entry)
      if (entry.group !== undefined) this.#absent.set(containerId, [...(this.#absent.get(containerId) ?? []), entry])
    }
    if (own?.size === 0) this.#containers.delete(containerId)
  }

  /** That a container was removed, and will not come back to its names. */
  forget(containerId: string): void {
    this.#version++
    this.#absent.delete(containerId)
  }

  #forget(entry: NameEntry): void {
    const network = this.#networks.get(entry.networkId)
    if (!network) return
    for (const name of entry.names.map(folded)) {
      const members = network.members.get(name)
      members?.delete(entry)
      if (members?.size === 0) network.members.delete(name)
    }
    for (const address of [entry.ipv4, entry.ipv6])
      if (address && network.addresses.get(address) === entry) network.addresses.delete(address)
    if (network.members.size === 0) this.#networks.delete(entry.networkId)
  }

  /**
   * The addresses of `name` as `containerId` sees it: on its networks only; also as "name.network" and
   * "name.group". Those of its own group are all there are when some of them have the name: on a network that several
   * projects share, "db" is one's own, and nobody else's while that is stopped. Undefined when none of its networks knows the
   * name.
   */
  resolve(containerId: string, name: string): Answer | undefined {
    const asked = folded(name)
    const found = new Set<NameEntry>()
    for (const own of this.#containers.get(containerId)?.values() ?? []) {
      const network = this.#networks.get(own.networkId)
      if (!network) continue
      const target = own.links && Object.hasOwn(own.links, asked) ? folded(own.links[asked]!) : asked
      const local = target.endsWith(`.${network.name}`) ? target.slice(0, -network.name.length - 1) : undefined
      for (const member of network.members.get(target) ?? []) found.add(member)
      if (local !== undefined) for (const member of network.members.get(local) ?? []) found.add(member)
      const dot = target.lastIndexOf('.')
      if (dot > 0)
        for (const member of network.members.get(target.slice(0, dot)) ?? [])
          if (member.group !== undefined && folded(member.group) === target.slice(dot + 1)) found.add(member)
    }
    if (found.size === 0) return undefined
    const group = this.#groupOf(containerId)
    const own = group === undefined ? [] : [...found].filter(entry => entry.group === group)
    if (group !== undefined && own.length === 0 && this.#isAbsent(group, asked)) return undefined
    const near = own.length > 0 ? own : [...found]
    const ahead = near.filter(entry => entry.containerId === containerId || !this.#stepsBack.has(entry.containerId))
    const entries = ahead.length > 0 ? ahead : near
    return {
      ipv4: entries.flatMap(entry => entry.ipv4 ?? []),
      ipv6: entries.flatMap(entry => entry.ipv6 ?? []),
    }
  }

  #groupOf(containerId: string): string | undefined {
    for (const { group } of this.#containers.get(containerId)?.values() ?? []) return group
    return undefined
  }

  #isAbsent(group: string, name: string): boolean {
    for (const entries of this.#absent.values())
      if (entries.some(entry => entry.group === group && entry.names.some(each => folded(each) === name))) return true
    return false
  }

  /** "web.shop_default" for an address on one of the container's networks. */
  reverse(containerId: string, address: string): string | undefined {
    for (const own of this.#containers.get(containerId)?.values() ?? []) {
      const entry = this.#networks.get(own.networkId)?.addresses.get(address)
      if (entry) return `${entry.names[0]}.${entry.networkName}`
    }
    return undefined
  }

  /** Whether the name belongs to a container somewhere, now or before. */
  isKnown(name: string): boolean {
    return this.#known.has(folded(name))
  }

  /** Whether the container has a way out: on internal networks alone, nothing is asked outside (CVE-2024-29018). */
  reachesOutside(containerId: string): boolean {
    for (const entry of this.#containers.get(containerId)?.values() ?? []) if (!entry.internal) return true
    return false
  }
}
