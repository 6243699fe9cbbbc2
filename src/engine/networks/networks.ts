/** The collection of networks, and who is attached to them. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PortBindings } from '../../api/container-body.ts'
import { checkFilters, type Filters, matchesLabels, untilFilter } from '../../api/filters.ts'
import type { NetworkCreate, NetworkInspect } from '../../api/networks.ts'
import { debug } from '../../lib/debug.ts'
import { Failure, messageOf } from '../../lib/failure.ts'
import { newId } from '../../lib/ids.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { Aside } from '../base/aside.ts'
import type { Events } from '../base/events.ts'
import type { Paths } from '../base/paths.ts'
import { writeRecord } from '../base/store.ts'
import type { Syncer } from '../base/syncer.ts'
import { Names } from '../dns/names.ts'
import { Dns } from '../dns/server.ts'
import type { Attachment, Member } from './attachment.ts'
import { Bridges } from './bridge.ts'
import { Departing } from './departing.ts'
import { DockerUser } from './docker-user.ts'
import type { EndpointRequest } from './endpoint-request.ts'
import { type ConnectTo, Endpoints } from './endpoints.ts'
import { Firewall } from './firewall.ts'
import { type AddressPool, checkOverlap, defaultPools } from './ipam.ts'
import { linux, type NetworkKernel } from './kernel.ts'
import { mendAttachments } from './mend.ts'
import {
  addressesOf,
  checkBridge,
  Network,
  type NetworkRecord,
  networkKind,
  predefined,
  predefinedRecord,
} from './network.ts'
import { checkNetworkFilters, matchesNetwork } from './network-filters.ts'
import { checkCreate, checkOptions, recordOf, withConfiguration } from './network-request.ts'
import { PublishedPorts, publisherOf, type TakeOver } from './publish.ts'
import type { PublishedPort } from './published-port.ts'
import { Ruleset } from './ruleset.ts'
import { Subnets } from './subnets.ts'

export interface NetworksOptions {
  readonly paths: Paths
  readonly events: Events
  readonly runtime: Runtime
  readonly aside?: Aside | undefined
  /** Syncs the records a little after they were written. */
  readonly syncer?: Syncer | undefined
  /** For networks without a subnet. */
  readonly pools?: readonly AddressPool[] | undefined
  /** Where ports without a host address are published, of networks that do not say it; undefined: everywhere. */
  readonly binding?: string | undefined
  /** Tests bring their own. */
  readonly kernel?: NetworkKernel | undefined
}

export class Networks {
  /** The name server of the sandboxes. */
  readonly dns: Dns
  readonly #options: NetworksOptions
  readonly #kernel: NetworkKernel
  readonly #aside: Aside
  readonly #subnets: Subnets
  readonly #networks = new Map<string, Network>()
  readonly #firewall: Firewall
  readonly #bridges: Bridges
  readonly #ports: PublishedPorts
  readonly #endpoints: Endpoints
  readonly #names = new Names()

  private constructor(options: NetworksOptions) {
    this.#aside = options.aside ?? new Aside(options.paths, debug('networks'))
    const { paths, runtime, events, kernel = linux } = options
    const { say } = this.#aside
    this.#options = options
    this.#kernel = kernel
    this.#subnets = new Subnets({
      pools: options.pools ?? defaultPools,
      kernel,
      networks: () => this.#networks.values(),
      isThere: network => this.#bridges.isThere(network),
      say,
    })
    const rules = new Ruleset(kernel)
    this.dns = new Dns({ names: this.#names, socketIn: kernel.socketIn, redirect: kernel.redirect })
    this.#firewall = new Firewall({ table: paths.name.full, marker: join(paths.roots.run, 'firewall'), rules, say })
    this.#bridges = new Bridges({
      runtime,
      firewall: this.#firewall,
      dockerUser: new DockerUser(paths.name, { rules, say }),
      ports: network => this.#endpoints.ports(network),
      kernel,
      say,
    })
    this.#ports = new PublishedPorts(this.#firewall, kernel, options.binding)
    this.#endpoints = new Endpoints({
      runtime,
      events,
      names: this.#names,
      bridges: this.#bridges,
      departing: new Departing(runtime, kernel),
      name: paths.name,
      find: ref => this.get(ref),
      prepare: network => this.#subnets.used(network),
    })
  }

  /** Reads the records. What an earlier engine attached comes by `adopt`, and `settle` ends that. */
  static async open(options: NetworksOptions): Promise<Networks> {
    const networks = new Networks(options)
    await networks.#load()
    return networks
  }

  async #load(): Promise<void> {
    const { paths } = this.#options
    const aside = this.#aside
    await aside.folder(paths.networks)
    await aside.folder(paths.roots.run, 0o711)
    const files = (await readdir(paths.networks)).filter(name => /^[0-9a-f]{64}\.json$/.test(name))
    const loaded = await Promise.all(files.map(name => aside.load(join(paths.networks, name), networkKind)))
    for (const name of predefined) this.#keep(predefinedRecord(name, paths))
    // the default bridge's record, once it has a subnet, comes over its first form
    for (const each of loaded) if (each.kind === 'whole') this.#keep(each.record)
    for (const network of this.#networks.values())
      if (network.driver === 'bridge' && network.addresses.length > 0 && this.#bridges.isThere(network))
        this.#bridges.adopt(network)
  }

  #keep(record: NetworkRecord): Network {
    const network = new Network(record, this.#options.paths.name)
    this.#networks.set(record.id, network)
    return network
  }

  /** @throws Failure conflict (name), denied (overlap, predefined), not-found (driver), invalid. */
  async create(request: NetworkCreate): Promise<Network> {
    checkCreate(request)
    if ([...this.#networks.values()].some(({ name }) => name === request.Name))
      throw new Failure('conflict', `network with name ${request.Name} already exists`)
    const body = withConfiguration(request, this.find(request.ConfigFrom?.Network ?? '')?.record)
    checkOptions(body)
    const record = recordOf(body, { id: newId(), freePool: () => this.#subnets.choose() })
    const { id, configOnly } = record
    const taken = configOnly ? [] : this.#subnets.taken()
    for (const { pool } of addressesOf(record)) checkOverlap(pool.subnet, taken)
    checkBridge(record, this.#networks.values())
    const network = this.#keep(record)
    if (!configOnly) this.#bridges.announce(network)
    try {
      if (network.hasChosenBridge) await this.#bridges.ensure(network)
      await this.#save(network)
    } catch (error) {
      this.#networks.delete(id)
      await this.#bridges.remove(network)
      throw error
    }
    this.#options.events.emit('network', 'create', id, network.attributes())
    return network
  }

  async #saveUsed(ids: readonly string[]): Promise<void> {
    await Promise.all(this.#subnets.takeUnsaved(ids).map(network => this.#save(network)))
  }

  async #save({ id, record }: Network): Promise<void> {
    const path = this.#options.paths.networkRecord(id)
    await writeRecord(path, record)
    this.#options.syncer?.later(path)
  }

  /** By full id, exact name, unique id prefix. @throws Failure not-found `network x not found`. */
  get(ref: string): Network {
    const found = this.find(ref)
    if (found) return found
    const matches = this.#byPrefix(ref).length
    if (matches > 1)
      throw new Failure('invalid', `network ${ref} is ambiguous (${matches} matches found based on ID prefix)`)
    throw new Failure('not-found', `network ${ref} not found`)
  }

  find(ref: string): Network | undefined {
    const exact = this.#networks.get(ref)
    if (exact) return exact
    for (const network of this.#networks.values()) if (network.name === ref) return network
    const matches = this.#byPrefix(ref)
    return matches.length === 1 ? matches[0] : undefined
  }

  #byPrefix(ref: string): Network[] {
    return ref === '' ? [] : [...this.#networks.values()].filter(({ id }) => id.startsWith(ref))
  }

  list(filters: Filters = {}): NetworkInspect[] {
    checkNetworkFilters(filters)
    return this.#matching(filters).map(network => this.#subnets.shown(network).inspect(false))
  }

  #matching(filters: Filters): Network[] {
    return [...this.#networks.values()].filter(network => matchesNetwork(network, filters))
  }

  inspect(ref: string): NetworkInspect {
    return this.#subnets.shown(this.get(ref)).inspect()
  }

  /** @throws Failure denied when it is predefined or somebody is on it. */
  async remove(ref: string): Promise<void> {
    const network = this.get(ref)
    if (network.isPredefined)
      throw new Failure('denied', `${network.name} is a pre-defined network and cannot be removed`)
    if (network.members.size > 0) {
      const members = [...network.members.values()].map(
        member => `name:${JSON.stringify(member.Name)} id:${JSON.stringify(member.EndpointID.slice(0, 12))}`,
      )
      throw new Failure(
        'denied',
        `error while removing network: network ${network.name} has active endpoints (${members.join(', ')})`,
      )
    }
    if (this.#isConfiguration(network))
      throw new Failure('denied', `error while removing network: configuration network "${network.name}" is in use`)
    // out of the collection first: nobody may attach to what is going
    this.#networks.delete(network.id)
    try {
      await this.#bridges.remove(network)
      await rm(this.#options.paths.networkRecord(network.id), { force: true })
    } catch (error) {
      this.#networks.set(network.id, network)
      throw error
    }
    this.#options.events.emit('network', 'destroy', network.id, network.attributes())
  }

  /** Others are made of its settings. */
  #isConfiguration({ name, record }: Network): boolean {
    return record.configOnly && [...this.#networks.values()].some(other => other.record.configFrom === name)
  }

  /** Names of those removed: nobody is on them and no stopped container wants them. */
  async prune(filters: Filters, isWanted: (network: Network) => boolean = () => false): Promise<string[]> {
    checkFilters(filters, ['label', 'label!', 'until'])
    const before = untilFilter(filters) ?? Number.POSITIVE_INFINITY
    const names: string[] = []
    for (const network of this.#matching({ label: filters.label ?? [] })) {
      const isExcluded = (filters['label!'] ?? []).some(label => matchesLabels([label], network.labels))
      const isUsed =
        network.isPredefined || network.members.size > 0 || this.#isConfiguration(network) || isWanted(network)
      if (isUsed || isExcluded || Date.parse(network.record.created) > before) continue
      await this.remove(network.id)
      names.push(network.name)
    }
    this.#options.events.emit('network', 'prune', '', { reclaimed: '0' })
    return names
  }

  /** Reserves addresses, makes missing bridges and registers the names; call before the container starts. */
  async attach(member: Member, endpoints: readonly EndpointRequest[]): Promise<Attachment[]> {
    const attachments = await this.#endpoints.attach(member, endpoints)
    await this.#saveUsed(attachments.map(({ networkId }) => networkId))
    return attachments
  }

  /** What `attach` and `connect` gave, taken back with the published ports; nothing attached is fine. */
  async detach(containerId: string): Promise<void> {
    const ports = this.#ports.release(containerId)
    const left = this.#endpoints.detach(containerId)
    await Promise.all([ports.length > 0 ? this.#firewall.flush() : undefined, this.#leave(left)])
    this.#ports.forget(ports)
  }

  /** The default bridge cannot be removed, so it goes with its last container. */
  async #leave(networks: readonly Network[]): Promise<void> {
    for (const network of networks) if (network.isDefaultBridge) await this.#bridges.removeUnused(network)
  }

  /** Into a running container's sandbox. @throws Failure denied when it is on that network. */
  async connect(member: Member, request: EndpointRequest, place: ConnectTo): Promise<Attachment> {
    const attachment = await this.#endpoints.connect(member, request, place)
    await this.#lead(member.id)
    await this.#saveUsed([attachment.networkId])
    return attachment
  }

  /** Out of a running container's sandbox. @throws Failure internal when it is not on that network. */
  async disconnect(ref: string, containerId: string, sandbox: string): Promise<void> {
    const network = await this.#endpoints.disconnect(this.get(ref), containerId, sandbox)
    await this.#lead(containerId)
    await this.#leave([network])
  }

  /** Published ports lead to where the default route is. */
  async #lead(containerId: string): Promise<void> {
    const endpoint = this.#endpoints.outward(containerId)
    if (endpoint) await this.#ports.lead(publisherOf(endpoint))
  }

  /** Takes over what an earlier engine attached and published; `saved` is what attach and publish gave then. */
  async adopt(
    member: Member,
    saved: { readonly attachments: readonly Attachment[]; readonly ports: readonly PublishedPort[] },
  ): Promise<{ attachments: Attachment[]; ports: PublishedPort[] }> {
    const attachments: Attachment[] = []
    for (const attachment of saved.attachments)
      if (this.find(attachment.networkId) ?? (await this.#restore(attachment, member))) attachments.push(attachment)
    this.#endpoints.adopt(member, attachments)
    const ports = [...saved.ports]
    await this.#ports.adopt(member, ports)
    return { attachments, ports }
  }

  /** A network whose record is lost, while somebody is on it. */
  async #restore({ network: name, networkId, record }: Attachment, member: Member): Promise<Network | undefined> {
    const path = this.#options.paths.networkRecord(networkId)
    if (!record || this.find(name)) {
      this.#aside.say(`"${member.name}" is on network "${name}", of which "${path}" is gone: it is taken off`)
      return undefined
    }
    const network = this.#keep(record)
    this.#aside.say(`Network "${name}" has no record: made again of what "${member.name}" knows of it`)
    await this.#save(network)
    return network
  }

  /** After every running container has been adopted: the kernel's rules are made what they should be, leftovers go. */
  async settle(): Promise<void> {
    const bridge = this.find('bridge')
    if (bridge && bridge.addresses.length > 0) await this.#bridges.removeUnused(bridge)
    // a bridge that was deleted while no engine looked is missed by those on it
    const used = [...this.#networks.values()].filter(network => network.members.size > 0 || network.hasChosenBridge)
    const there = used.map(network => this.#bridges.ensure(network, { expected: network.members.size > 0 }))
    for (const result of await Promise.allSettled(there))
      if (result.status === 'rejected') this.#aside.say(messageOf(result.reason))
    await this.#bridges.guardRules()
  }

  /** Of a running container: its interfaces, their bridges and the rules of both are as they should be, or are made so. */
  mend(containerId: string, { name, sandbox }: { readonly name: string; readonly sandbox: string }): Promise<void> {
    const { runtime } = this.#options
    const { say } = this.#aside
    return mendAttachments(
      { runtime, bridges: this.#bridges, kernel: this.#kernel, find: id => this.get(id), say },
      { attachments: this.attachments(containerId), name, sandbox },
    )
  }

  attachments(containerId: string): readonly Attachment[] {
    return this.#endpoints.of(containerId)
  }

  ports(containerId: string): readonly PublishedPort[] {
    return this.#ports.of(containerId)
  }

  /** After `attach`. A container on internal networks alone publishes nothing, as with Docker. */
  async publish(
    id: string,
    bindings: PortBindings,
    options: Pick<TakeOver, 'exposed' | 'all'> = {},
  ): Promise<PublishedPort[]> {
    const endpoint = this.#endpoints.outward(id)
    if (!endpoint) return []
    return this.#ports.publish(publisherOf(endpoint), bindings, options)
  }

  /** The names others know a container by, after a rename. */
  rename(containerId: string, name: string): void {
    this.#endpoints.rename(containerId, name)
  }

  /** Whether a container answers to its names only where nobody else does. */
  stepBack(containerId: string, does: boolean): void {
    this.#names.stepBack(containerId, does)
  }

  /** The ports it is to have are a running container's from now on, those that another has among them. @throws Failure as `publish` does */
  async takeOver(containerId: string, bindings: PortBindings, options: TakeOver): Promise<void> {
    const endpoint = this.#endpoints.outward(containerId)
    if (!endpoint) return options.record([], this.ports(options.from))
    await this.#ports.takeOver(publisherOf(endpoint), bindings, options)
  }

  /** Lets go of sockets; bridges, rules and addresses stay for the containers that run on. */
  async close(): Promise<void> {
    this.dns.close()
    this.#ports.close()
    await this.#bridges.close()
  }
}
