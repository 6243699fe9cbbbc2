/** Plans what was decided for the replicas of each service: create, start, wait for conditions, in the order they need. */
import type { EndpointSettings } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import { isJob } from '../../../model/deploy.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { NodeId, Ref } from '../../../plan/operation.ts'
import type { EnginePlan } from '../engine-plan.ts'
import type { Observed, ObservedContainer } from '../observed.ts'
import { planAdjustment } from './adjusting.ts'
import { containerBody, linksItself, type Shared, sharedBy } from './container-body.ts'
import { isLive, on, planRemoval, planStopping } from './ending.ts'
import { planUploads } from './file-objects.ts'
import type { Decisions } from './follow-changes.ts'
import { Gates } from './gates.ts'
import type { Hashed } from './hash.ts'
import { type Hooked, planHooks } from './hooks.ts'
import { inheritedVolumes } from './inherited-volumes.ts'
import { Inits, isOnceDue, planLeftInits } from './inits.ts'
import { jobTurn, type Planned } from './jobs.ts'
import { containerName, imageName, isPassingName, temporaryName } from './names.ts'
import type { PlannedNetworks } from './networks.ts'
import { planReadyWaits } from './ready-waits.ts'
import { recreationChanges } from './recreation.ts'
import { replicaNames } from './replica-names.ts'
import { type Creation, type Decision, isReplica, type Recreation, type Removal, type Replica } from './replicas.ts'
import { planDraining, planTakeOver } from './rollout.ts'
import { planUpdate } from './update.ts'
import type { PlannedVolumes } from './volumes.ts'
import { volumesOf } from './volumes.ts'

export interface ServicesInput {
  readonly project: Project
  readonly observed: Observed
  /** Those to be brought up, what is needed before what needs it. */
  readonly services: readonly Service[]
  readonly decisions: Decisions
  readonly hashes: ReadonlyMap<string, Hashed>
  readonly networks: PlannedNetworks
  readonly volumes: PlannedVolumes
  readonly images: ReadonlyMap<string, { readonly ref: Ref; readonly node: NodeId | undefined }>
  readonly renewAnonVolumes: boolean
  readonly timeout: number | undefined
  readonly start: boolean
  readonly wait: boolean
  /** Nobody asks: what is paused goes on, and only what is to be started waits for what it needs. */
  readonly holding: boolean
}

/** What comes before the containers of a service. */
interface Before {
  /** Before one starts. */
  readonly gates: readonly NodeId[]
  /** Before one is made: what is in its way has gone. */
  readonly cleared: readonly NodeId[]
}

interface Made {
  readonly container: Ref
  readonly created: NodeId
  readonly last: NodeId
}

export class ServicePlanner {
  readonly #plan: EnginePlan
  readonly #input: ServicesInput
  /** Containers that are stopped before what they need is replaced, and started after: id → node. */
  readonly #stopped = new Map<string, NodeId>()
  readonly #planned = new Map<string, readonly Planned[]>()
  /** Services that are updated in batches. */
  readonly #updated = new Set<string>()
  /** Of services of which containers are started. */
  readonly #inits = new Map<string, Inits>()
  readonly #gates: Gates

  constructor(plan: EnginePlan, input: ServicesInput) {
    this.#plan = plan
    this.#input = input
    this.#gates = new Gates(plan, input)
  }

  run(): void {
    for (const service of this.#input.services) this.#service(service)
    planLeftInits(this.#plan, this.#input.observed, this.#input.services)
    if (this.#input.wait && this.#input.start) for (const service of this.#input.services) this.#waitReady(service)
  }

  #service(service: Service): void {
    const { decisions, start, holding } = this.#input
    const own = decisions.get(service.name)!
    const stays = holding && own.every(({ kind }) => kind === 'keep' || kind === 'remove')
    if (!stays) for (const [needed, what] of sharedBy(service)) this.#containerOf(needed, what)
    const gates = start && !stays ? this.#gates.of(service, this.#planned) : []
    const removals = own.filter(decision => decision.kind === 'remove')
    const cleared = removals.filter(({ first }) => first).map(removal => this.#clear(service, removal))
    this.#inits.set(service.name, this.#initsOf(service, own.filter(isReplica)))
    const updated = this.#update(service, own, { gates, cleared })
    const planned: Planned[] = []
    for (const decision of own.filter(isReplica)) {
      const turn = [...gates, ...jobTurn(this.#plan, service, planned)]
      planned.push(updated.get(decision.number) ?? this.#replica(service, decision, { gates: turn, cleared }))
    }
    for (const removal of removals) if (!removal.first) this.#remove(service, removal)
    this.#planned.set(service.name, planned)
  }

  #replica(service: Service, replica: Replica, { gates, cleared }: Before): Planned {
    const { start, timeout, project, networks } = this.#input
    const name = containerName(project, service, replica.number)
    if (replica.kind === 'create' || replica.kind === 'recreate')
      return this.#create(service, replica, { gates, cleared })
    const { container } = replica
    const on = { name, service: service.name, container: container.id }
    const after: NodeId[] = []
    // an interrupted recreation can leave the right container under its temporary name
    if (isPassingName(container.name, name))
      after.push(this.#plan.add({ kind: 'rename-container', cause: 'left with a temporary name', ...on }, cleared))
    const parted = networks.parted.get(container.id)?.filter(key => Object.hasOwn(service.networks, key)) ?? []
    const { adjustment } = replica
    if (adjustment)
      after.push(
        ...planAdjustment(this.#plan, {
          adjustment,
          on,
          after,
          endpoint: network => this.#endpoint(service, replica.number, network),
          maker: key => networks.networks.get(key)?.node,
        }),
      )
    for (const key of parted) after.push(this.#connect(service, replica, { key, on, after }))
    // what was stopped for the sake of a network goes on even where nothing else is started
    const goesOn = networks.stopped.has(container.id)
    if (replica.kind === 'keep' || !(start || goesOn)) {
      if (container.state === 'running' && !adjustment && this.#tells(service))
        this.#plan.keep(name, 'running', service.name)
      return { replica, name, container: container.id, started: after.at(-1) }
    }
    const add = { cause: replica.cause, ...on }
    if (container.state === 'paused' && this.#input.holding) {
      const started = this.#plan.add({ kind: 'unpause-container', ...add }, after)
      return { replica, name, container: container.id, started }
    }
    // whoever made it may have been broken off before its files were in it
    const files = container.state === 'created' ? this.#body(service, replica.number, undefined).uploads : []
    const last = planUploads(this.#plan, on, { files, last: after.at(-1) })
    if (last !== undefined) after.push(last)
    const stopped = this.#stopped.get(container.id)
    const before = [...after, ...gates, ...this.#sharers(service), ...(stopped === undefined ? [] : [stopped])]
    if (replica.kind === 'start' || stopped !== undefined) {
      const ready = replica.kind === 'start' ? this.#ready(service, replica.number, on, before) : before
      const started = this.#plan.add({ kind: 'start-container', ...add }, ready)
      return { replica, name, container: container.id, started: this.#started(service, on, started) }
    }
    const ready =
      container.state === 'running' ? planHooks(this.#plan, 'pre_stop', { service, on, after: before }) : before
    const started = this.#plan.add({ kind: 'restart-container', ...add, timeout }, ready)
    return { replica, name, container: container.id, started: this.#started(service, on, started) }
  }

  /** Whoever repairs says nothing of services to which nothing happens. */
  #tells({ name }: Service): boolean {
    const { holding, decisions } = this.#input
    return !holding || decisions.get(name)!.some(({ kind }) => kind !== 'keep')
  }

  /** Puts a container that stays into a network that is made anew. */
  #connect(
    service: Service,
    replica: Exclude<Replica, Creation>,
    { key, on, after }: { readonly key: string; readonly on: Hooked; readonly after: readonly NodeId[] },
  ): NodeId {
    const { name: network, node } = this.#input.networks.networks.get(key)!
    const endpoint = this.#endpoint(service, replica.number, network)
    const cause = `network ${key} is made anew`
    return this.#plan.add({ kind: 'connect-network', cause, ...on, network, endpoint }, [...after, node!])
  }

  /** How a replica would be made on a network of that name. */
  #endpoint(service: Service, number: number, network: string): EndpointSettings {
    return this.#body(service, number, undefined).body.NetworkingConfig?.EndpointsConfig?.[network] ?? {}
  }

  /** A rolling update of those that are replaced, where the stack wants one. */
  #update(service: Service, own: readonly Decision[], { gates, cleared }: Before): ReadonlyMap<number, Planned> {
    const { project, start, timeout, renewAnonVolumes, networks, volumes, observed } = this.#input
    const replicas = own.filter(decision => decision.kind === 'recreate')
    const isHeld = ({ container: { id } }: Recreation) => networks.stopped.has(id) || volumes.removed.has(id)
    // what goes with a network or volume that is made anew goes all at once
    if (!start || !service.deploy?.update || isJob(service) || replicas.length === 0 || replicas.some(isHeld))
      return new Map()
    this.#updated.add(service.name)
    const turns = planUpdate(this.#plan, {
      service,
      timeout,
      renewAnonVolumes,
      handsOver: observed.handsOver ?? false,
      gates: [...gates, ...this.#sharers(service)],
      replaced: replicas.map(replica => ({
        number: replica.number,
        name: containerName(project, service, replica.number),
        old: replica.container,
        create: after => this.#make(service, replica, [...cleared, ...after]),
        ready: (on, after) => this.#ready(service, replica.number, on, after),
      })),
    })
    return new Map(
      replicas.map((replica, i) => {
        const { name, container, named } = turns[i]!
        return [replica.number, { replica, name, container, started: named }]
      }),
    )
  }

  #create(service: Service, replica: Creation, { gates, cleared }: Before): Planned {
    const { project, networks, volumes, start, timeout } = this.#input
    const plan = this.#plan
    const name = containerName(project, service, replica.number)
    const old = replica.kind === 'recreate' ? replica.container : undefined
    const gone = old && volumes.removed.get(old.id)
    const { container, created, last: made } = this.#make(service, replica, cleared)
    const on = { name, service: service.name, container }
    let last = made
    if (old && gone === undefined) {
      const cause = `replaced by #${created}`
      const was = { cause, name, service: service.name, container: old.id }
      const before = [last]
      const stopped = networks.stopped.get(old.id)
      // what is updated in batches may take its time
      const isLong = Object.keys(service.dependsOn).some(needed => this.#updated.has(needed))
      const after = [last, ...this.#stopFollowers(service, last), ...(isLong ? gates : [])]
      if (stopped !== undefined) before.push(stopped)
      else if (isLive(old)) before.push(planStopping(plan, old, { cause, service, timeout, after }))
      const volumes = this.#input.renewAnonVolumes
      const removed = plan.add({ kind: 'remove-container', ...was, force: false, volumes, keepsLog: true }, before)
      last = plan.add({ kind: 'rename-container', cause: 'its name is free', ...on }, [removed])
    }
    if (!start) return { replica, name, container, started: undefined }
    const cause = `created by #${created}`
    const ready = this.#ready(service, replica.number, on, [last, ...gates, ...this.#sharers(service)])
    const started = plan.add({ kind: 'start-container', cause, ...on }, ready)
    return { replica, name, container, started: this.#started(service, on, started) }
  }

  /** Creates a container, with what must be in it before it starts. */
  #make(service: Service, replica: Creation, after: readonly NodeId[]): Made {
    const { project, networks, volumes, images } = this.#input
    const plan = this.#plan
    const name = containerName(project, service, replica.number)
    const old = replica.kind === 'recreate' ? replica.container : undefined
    const gone = old && volumes.removed.get(old.id)
    const image = images.get(imageName(project, service) ?? '')
    const { body, late, uploads } = this.#body(service, replica.number, old)
    const needed = [
      ...after,
      ...Object.keys(service.networks).map(key => networks.networks.get(key)?.node),
      ...volumesOf([service]).map(key => volumes.nodes.get(key)),
      image?.node,
      gone,
      ...this.#linked(service),
      ...late.map(({ ref }) => (typeof ref === 'object' ? ref.node : undefined)),
    ].filter(node => node !== undefined)
    // the old one keeps its name, and runs, until the new one is there
    const createName = old && gone === undefined ? temporaryName(old.id, name) : name
    const hashed = this.#input.hashes.get(service.name)
    const live = replica.kind === 'recreate' ? (replica.changes ?? []) : []
    const changes = old && hashed ? recreationChanges(old, { hashed, body, name, image: image?.ref, live }) : []
    const given = changes.length > 0 ? { changes } : {}
    const operation = { name, service: service.name, createName, platform: service.platform, body, late, ...given }
    const created = plan.add({ kind: 'create-container', cause: replica.cause, ...operation }, needed)
    const container = { node: created }
    const on = { name, service: service.name, container }
    return { container, created, last: planUploads(plan, on, { files: uploads, last: created })! }
  }

  /** Those that are restarted with a service stop before what it replaces does: what they need does not go away under them. */
  #stopFollowers(needed: Service, created: NodeId): readonly NodeId[] {
    const { decisions, services, start, timeout } = this.#input
    if (!start) return []
    return services
      .filter(service => service.dependsOn[needed.name]?.restart)
      .flatMap(service =>
        decisions.get(service.name)!.flatMap(decision => {
          if (decision.kind !== 'restart' || !isLive(decision.container)) return []
          const { container, cause } = decision
          const node =
            this.#stopped.get(container.id) ??
            planStopping(this.#plan, container, { cause, service, timeout, after: [created] })
          this.#stopped.set(container.id, node)
          return [node]
        }),
      )
  }

  #initsOf(service: Service, replicas: readonly Replica[]): Inits {
    const { project, images, observed } = this.#input
    return new Inits(this.#plan, {
      project,
      service,
      files: observed.files,
      due: isOnceDue(replicas),
      image: name => images.get(name),
      container: (needed, what) => this.#containerOf(needed, what),
      containerNames: needed => replicaNames(this.#input, needed),
    })
  }

  /** What must have come about before it is started: its pre_start, after `after`. */
  #ready(service: Service, number: number, on: Hooked, after: readonly NodeId[]): readonly NodeId[] {
    return this.#inits.get(service.name)!.before({ ...on, number }, after)
  }

  /** The node after which it counts as started: its last hook. */
  #started(service: Service, on: Hooked, node: NodeId): NodeId {
    return planHooks(this.#plan, 'post_start', { service, on, after: [node] })[0]!
  }

  #body(service: Service, number: number, old: ObservedContainer | undefined) {
    const { project, images, observed } = this.#input
    const hashed = this.#input.hashes.get(service.name)
    return containerBody({
      project,
      service,
      name: containerName(project, service, number),
      number,
      files: observed.files,
      ...(hashed ? { hashed } : {}),
      image: images.get(imageName(project, service) ?? '')?.ref,
      container: (needed, what) => this.#containerOf(needed, what),
      containerNames: needed => replicaNames(this.#input, needed),
      ...(old && !this.#input.renewAnonVolumes
        ? { inherited: inheritedVolumes(service, old, observed.images.get(imageName(project, service) ?? '')) }
        : {}),
      ...(old ? { replaces: service.containerName ?? `${service.name}-${number}` } : {}),
    })
  }

  /** What an interrupted recreation has left; where another serves already in its place, that one has its ports first. */
  #clear(service: Service, removal: Removal): NodeId {
    const { replacedBy, container } = removal
    if (!replacedBy || !isLive(container) || !this.#input.observed.handsOver) return this.#remove(service, removal)
    const to = { name: container.name, service: service.name, container: replacedBy.id, from: container.id }
    const passed = planTakeOver(this.#plan, service, to, [])
    return this.#remove(service, removal, [planDraining(this.#plan, on(container), this.#input.timeout, [passed])])
  }

  #remove(service: Service, { container, cause }: Removal, after: readonly NodeId[] = []): NodeId {
    const { timeout, networks } = this.#input
    const { stopped } = networks
    return planRemoval(this.#plan, container, { cause, service, timeout, stopped, after, keepsLog: true })
  }

  /** The container another service's container is bound to. @throws Failure `not-found` in Compose's words. */
  #containerOf(needed: string, what: Shared): Ref {
    const planned = this.#planned.get(needed)?.[0]
    if (planned) return planned.container
    const there = this.#input.observed.containers.find(c => c.service === needed && !c.oneOff)
    if (there) return there.id
    throw new Failure('not-found', `cannot share ${what} with service ${needed}: container missing`, {
      hint: `Bring up "${needed}" too`,
    })
  }

  /** A link of the engine's own bridge is made with the container, to one that is there. */
  #linked(service: Service): readonly NodeId[] {
    if (!linksItself(service)) return []
    const planned = service.links.flatMap(link => this.#planned.get(link.service) ?? [])
    return planned.flatMap(({ started, container }) => started ?? (typeof container === 'object' ? container.node : []))
  }

  /** Those whose namespaces it enters must run by then. */
  #sharers(service: Service): readonly NodeId[] {
    const modes = [service.networkMode, service.ipc, service.pid, service.usernsMode]
    return modes.flatMap(mode => {
      if (mode?.kind !== 'service') return []
      const started = this.#planned.get(mode.service)?.[0]?.started
      return started === undefined ? [] : [started]
    })
  }

  #waitReady(service: Service): void {
    planReadyWaits(this.#plan, {
      project: this.#input.project,
      service,
      planned: this.#planned.get(service.name) ?? [],
      isWaitedFor: (number, condition) => this.#gates.isWaitedFor(service, number, condition),
    })
  }
}
