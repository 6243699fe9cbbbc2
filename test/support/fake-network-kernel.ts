/** What networks see of a kernel, without one: links come and go with the operations of a fake runtime, rules are remembered. */
import type { Subnet } from '../../src/engine/networks/address.ts'
import type { Link, NetworkKernel } from '../../src/engine/networks/kernel.ts'
import { Failure } from '../../src/lib/failure.ts'
import { socketIn } from '../../src/runtime/native.ts'
import type { HostOperation, InterfaceSpec } from '../../src/runtime/spec.ts'

export class FakeNetworkKernel implements NetworkKernel {
  /** Names of what is there. */
  readonly links = new Set<string>()
  /** Those that somebody has taken the address from. */
  readonly bare = new Set<string>()
  /** Every change of the rules, in order. */
  readonly rules: string[] = []
  /** "udp 8080": of flows that were to be forgotten. */
  readonly forgotten: string[] = []
  subnets: readonly Subnet[] = []
  readonly #macs = new Map<string, string>()
  readonly #ports = new Map<
    string,
    { readonly master: string; readonly isIsolated: boolean; readonly isHairpin: boolean }
  >()
  #generation = 1

  /** What a runtime was asked to do on the host. */
  apply(operation: HostOperation): void {
    switch (operation.kind) {
      case 'create-bridge':
        this.links.add(operation.name)
        this.bare.delete(operation.name)
        this.#macs.set(operation.name, operation.mac)
        return
      case 'delete-link':
        this.links.delete(operation.name)
        return
      case 'join-bridge':
        this.#ports.set(operation.name, {
          master: operation.bridge,
          isIsolated: operation.isolated,
          isHairpin: operation.hairpin,
        })
        return
      case 'connect':
        this.#plug(operation.interface)
        return
      case 'create-sandbox':
        for (const each of operation.interfaces) this.#plug(each)
    }
  }

  #plug({ host, bridge, isolated, hairpin }: InterfaceSpec): void {
    this.links.add(host)
    this.#ports.set(host, { master: bridge, isIsolated: isolated, isHairpin: hairpin })
  }

  runNft(commands: string): string {
    if (commands.startsWith('list ')) throw new Failure('internal', 'Cannot change the firewall: No such file')
    this.rules.push(commands)
    this.#generation++
    return ''
  }

  firewallGeneration(): number {
    return this.#generation
  }

  firewallDigest(): undefined {
    return undefined
  }

  readonly #listening = new Set<() => void>()

  whenRulesChange(heard: () => void): () => void {
    this.#listening.add(heard)
    return () => this.#listening.delete(heard)
  }

  /** That somebody has changed rules, as the kernel tells of it. */
  tellOfRules(): void {
    for (const heard of this.#listening) heard()
  }

  readonly forgetFlows: NetworkKernel['forgetFlows'] = (_address, protocol, port) => {
    this.forgotten.push(`${protocol === 17 ? 'udp' : protocol} ${port}`)
  }

  /** Somewhere free on this machine, where nobody asks. */
  readonly socketIn: NetworkKernel['socketIn'] = (_sandbox, kind) => socketIn('/proc/self/ns/net', kind, '127.0.0.1', 0)

  readonly redirect: NetworkKernel['redirect'] = async () => undefined

  link(name: string): Link | undefined {
    if (!this.links.has(name)) return undefined
    const port = this.#ports.get(name) ?? { master: undefined, isIsolated: false, isHairpin: false }
    return { mac: this.#macs.get(name) ?? '', isUp: true, ...port }
  }

  reaches(name: string): boolean {
    return this.links.has(name) && !this.bare.has(name)
  }

  hostSubnets(): readonly Subnet[] {
    return this.subnets
  }
}
