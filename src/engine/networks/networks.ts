/** The collection of networks, and who is attached to them. */
import type { PortBindings } from '../../api/container-body.ts'
import type { Filters } from '../../api/filters.ts'
import type { NetworkCreate, NetworkInspect } from '../../api/networks.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { Events } from '../base/events.ts'
import type { Paths } from '../base/paths.ts'
import type { Dns } from '../dns/server.ts'
import type { Attachment, EndpointRequest, Member } from './attachment.ts'
import type { PublishedPort } from './published-port.ts'

export interface NetworksOptions {
  readonly paths: Paths
  readonly events: Events
  readonly runtime: Runtime
  /** Address pools for networks without a subnet, CIDR. */
  readonly pools?: readonly string[] | undefined
}

export interface Network {
  readonly id: string
  readonly name: string
  readonly driver: 'bridge' | 'host' | 'null'
  readonly internal: boolean
  readonly labels: Readonly<Record<string, string>>
}

const later = (): never => {
  throw new Error('being written')
}

export class Networks {
  /** The name server of the sandboxes. */
  get dns(): Dns {
    return later()
  }
  static async open(_options: NetworksOptions): Promise<Networks> {
    return later()
  }
  /** @throws Failure conflict (name), denied (overlap), not-found (driver), invalid. */
  async create(_body: NetworkCreate): Promise<Network> {
    return later()
  }
  /** By full id, exact name, unique id prefix. @throws Failure not-found `network x not found`. */
  get(_ref: string): Network {
    return later()
  }
  find(_ref: string): Network | undefined {
    return later()
  }
  list(_filters: Filters = {}): NetworkInspect[] {
    return later()
  }
  inspect(_ref: string): NetworkInspect {
    return later()
  }
  async remove(_ref: string): Promise<void> {}
  /** Names of those removed. `usedBy`: whether a container that does not run wants it. */
  async prune(_filters: Filters, _usedBy: (network: Network) => boolean): Promise<string[]> {
    return later()
  }
  /** Reserves addresses, makes missing bridges and registers the names; call before the container starts. */
  async attach(_member: Member, _endpoints: readonly EndpointRequest[]): Promise<Attachment[]> {
    return later()
  }
  /** What `attach` and `connect` gave, taken back with the published ports. */
  async detach(_containerId: string): Promise<void> {}
  /** Into a running container's sandbox. */
  async connect(_member: Member, _request: EndpointRequest, _sandbox: string): Promise<Attachment> {
    return later()
  }
  /** Out of a running container's sandbox. */
  async disconnect(_ref: string, _containerId: string, _sandbox: string): Promise<void> {}
  /** Takes over what an earlier engine attached; `saved` is what attach and publish gave then. */
  async adopt(
    _member: Member,
    _saved: { readonly attachments: readonly unknown[]; readonly ports: readonly unknown[] },
  ): Promise<{ attachments: Attachment[]; ports: PublishedPort[] }> {
    return later()
  }
  attachments(_containerId: string): readonly Attachment[] {
    return later()
  }
  /** After `attach`. `exposed` ("80/tcp") are published on free ports when `all` is set (-P). */
  async publish(
    _containerId: string,
    _bindings: PortBindings,
    _options: { readonly exposed?: readonly string[]; readonly all?: boolean } = {},
  ): Promise<PublishedPort[]> {
    return later()
  }
  async unpublish(_containerId: string): Promise<void> {}
  rename(_containerId: string, _name: string): void {}
  async close(): Promise<void> {}
}
