/** Plans what was decided for the replicas of each service: create, start, wait for conditions, in the order they need. */
import { Failure } from '../lib/failure.ts'
import type { Condition } from '../model/dependency.ts'
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'
import { containerBody } from './container-body.ts'
import { type Decisions, needs, needsStart } from './follow-changes.ts'
import type { Hashed } from './hash.ts'
import { containerName, imageName, temporaryName } from './names.ts'
import type { PlannedNetworks } from './networks.ts'
import { isLive } from './networks.ts'
import type { Observed, ObservedContainer } from './observed.ts'
import type { NodeId, Ref } from './operation.ts'
import type { Plan } from './plan.ts'
import { type Creation, isReplica, type Replica } from './replicas.ts'
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
}

/** A replica in the plan: its container, and the node after which it runs; undefined when it runs already. */
interface Planned {
  readonly replica: Replica
  readonly name: string
  readonly container: Ref
  readonly started: NodeId | undefined
}

export class ServicePlanner {
  readonly #plan: Plan
  readonly #input: ServicesInput
  readonly #planned = new Map<string, readonly Planned[]>()
  /** Waits by service, number, condition and whether they must succeed. */
  readonly #waits = new Map<string, NodeId>()

  constructor(plan: Plan, input: ServicesInput) {
    this.#plan = plan
    this.#input = input
  }

  run(): void {
    for (const service of this.#input.services) this.#service(service)
    if (this.#input.wait && this.#input.start) for (const service of this.#input.services) this.#waitReady(service)
  }

  #service(service: Service): void {
    const { decisions, start } = this.#input
    const own = decisions.get(service.name)!
    const gates = start && needsStart(own) ? this.#gates(service) : []
    const planned: Planned[] = []
    for (const decision of own) {
      if (isReplica(decision)) planned.push(this.#replica(service, decision, gates))
      else this.#remove(decision.container, decision.cause)
    }
    this.#planned.set(service.name, planned)
  }

  #replica(service: Service, replica: Replica, gates: readonly NodeId[]): Planned {
    const { start, timeout, project } = this.#input
    const name = containerName(project, service, replica.number)
    if (replica.kind === 'create' || replica.kind === 'recreate') return this.#create(service, replica, gates)
    const { container } = replica
    const on = { name, service: service.name, container: container.id }
    const after: NodeId[] = []
    // an interrupted recreation can leave the right container under its temporary name
    if (container.name === temporaryName(container.name.slice(0, 12), name))
      after.push(this.#plan.add({ kind: 'rename-container', cause: 'left with a temporary name', ...on }))
    if (replica.kind === 'keep' || !start) return { replica, name, container: container.id, started: undefined }
    const add = { cause: replica.cause, ...on }
    const before = [...after, ...gates]
    const started =
      replica.kind === 'restart'
        ? this.#plan.add({ kind: 'restart-container', ...add, timeout }, before)
        : this.#plan.add({ kind: replica.kind === 'start' ? 'start-container' : 'unpause-container', ...add }, before)
    return { replica, name, container: container.id, started }
  }

  #create(service: Service, replica: Creation, gates: readonly NodeId[]): Planned {
    const { project, networks, volumes, images, start, timeout, observed } = this.#input
    const plan = this.#plan
    const name = containerName(project, service, replica.number)
    const old = replica.kind === 'recreate' ? replica.container : undefined
    const gone = old && volumes.removed.get(old.id)
    const image = images.get(imageName(project, service) ?? '')
    const hashed = this.#input.hashes.get(service.name)
    const { body, late, uploads } = containerBody({
      project,
      service,
      name,
      number: replica.number,
      files: observed.files,
      ...(hashed ? { hashed } : {}),
      image: image?.ref,
      container: needed => this.#containerOf(service, needed),
      containerNames: needed => this.#namesOf(needed),
      ...(old && !this.#input.renewAnonVolumes ? { inherited: this.#inherited(service, old) } : {}),
      ...(old ? { replaces: service.containerName ?? `${service.name}-${replica.number}` } : {}),
    })
    const needed = [
      ...Object.keys(service.networks).map(key => networks.networks.get(key)?.node),
      ...volumesOf([service]).map(key => volumes.nodes.get(key)),
      image?.node,
      gone,
      ...late.map(({ ref }) => (typeof ref === 'object' ? ref.node : undefined)),
    ].filter(node => node !== undefined)
    // the old one keeps its name, and runs, until the new one is there
    const createName = old && gone === undefined ? temporaryName(old.id, name) : name
    const operation = { name, service: service.name, createName, platform: service.platform, body, late }
    const created = plan.add({ kind: 'create-container', cause: replica.cause, ...operation }, needed)
    const container = { node: created }
    const on = { name, service: service.name, container }
    let last = created
    if (uploads.length > 0)
      last = plan.add({ kind: 'upload-files', cause: 'configs and secrets of the stack', ...on, files: uploads }, [
        last,
      ])
    if (old && gone === undefined) {
      const cause = `replaced by #${created}`
      const was = { cause, name, service: service.name, container: old.id }
      const before = [last]
      const stopped = networks.stopped.get(old.id)
      if (stopped !== undefined) before.push(stopped)
      else if (isLive(old)) before.push(plan.add({ kind: 'stop-container', ...was, timeout }, [last]))
      const volumes = this.#input.renewAnonVolumes
      const removed = plan.add({ kind: 'remove-container', ...was, force: false, volumes }, before)
      last = plan.add({ kind: 'rename-container', cause: 'its name is free', ...on }, [removed])
    }
    if (!start) return { replica, name, container, started: undefined }
    const cause = `created by #${created}`
    const started = plan.add({ kind: 'start-container', cause, ...on }, [last, ...gates, ...this.#sharers(service)])
    return { replica, name, container, started }
  }

  /** Anonymous volumes of the container that goes, where the new one wants one too. */
  #inherited(service: Service, old: ObservedContainer): ReadonlyMap<string, string> {
    const named = new Map<string, string>()
    const image = this.#input.observed.images.get(imageName(this.#input.project, service) ?? '')
    for (const { name, target } of old.volumes) {
      if (!/^[0-9a-f]{64}$/.test(name)) continue
      const mount = service.mounts.find(m => m.target === target)
      const wanted = mount
        ? mount.kind === 'volume' && mount.source === undefined
        : (image?.volumes.includes(target) ?? true)
      if (wanted) named.set(target, name)
    }
    return named
  }

  #remove(container: ObservedContainer, cause: string): void {
    planRemoval(this.#plan, container, { cause, timeout: this.#input.timeout, stopped: this.#input.networks.stopped })
  }

  /** The container another service's container is bound to. */
  #containerOf(service: Service, needed: string): Ref {
    const planned = this.#planned.get(needed)?.[0]
    if (planned) return planned.container
    const there = this.#input.observed.containers.find(c => c.service === needed && !c.oneOff)
    if (there) return there.id
    throw new Failure(
      'not-found',
      `Cannot create service "${service.name}": "${needed}", which it shares, has no container`,
      {
        hint: `Bring up "${needed}" too`,
      },
    )
  }

  #namesOf(needed: string): readonly string[] {
    const planned = this.#planned.get(needed)?.map(p => p.name)
    return planned ?? this.#input.observed.containers.flatMap(c => (c.service === needed && !c.oneOff ? [c.name] : []))
  }

  /** Those whose namespaces it enters must run by then. */
  #sharers(service: Service): readonly NodeId[] {
    const modes = [service.networkMode, service.ipc, service.pid]
    return modes.flatMap(mode => {
      if (mode?.kind !== 'service') return []
      const started = this.#planned.get(mode.service)?.[0]?.started
      return started === undefined ? [] : [started]
    })
  }

  /** The nodes after which a service may start, by its depends_on. */
  #gates(service: Service): readonly NodeId[] {
    return Object.values(service.dependsOn).flatMap(({ service: needed, condition, required }) =>
      (this.#planned.get(needed) ?? []).flatMap(planned => this.#gate(needed, planned, { condition, required })),
    )
  }

  #gate(
    needed: string,
    planned: Planned,
    { condition, required }: { readonly condition: Condition; readonly required: boolean },
  ): readonly NodeId[] {
    const { replica, started, name, container } = planned
    const after = started === undefined ? [] : [started]
    if (condition === 'started') return after
    if (replica.kind === 'keep') {
      if (condition === 'completed' && replica.done) return []
      if (condition === 'healthy' && replica.container.health === 'healthy') return []
    }
    const users = this.#input.services.filter(user => {
      const dependency = user.dependsOn[needed]
      return (
        dependency?.condition === condition &&
        dependency.required === required &&
        needsStart(this.#input.decisions.get(user.name)!)
      )
    })
    if (condition === 'healthy') this.#checkHealthcheck(needed, users)
    const key = JSON.stringify([needed, replica.number, condition, required])
    const cause = needs(
      users.map(user => user.name),
      `${needed} ${condition}`,
    )
    const wait = { kind: 'wait-container', cause, name, service: needed, container, condition, required } as const
    const node = this.#waits.get(key) ?? this.#plan.add(wait, after)
    this.#waits.set(key, node)
    return [node]
  }

  /** Waiting for a check that nobody makes would never end. */
  #checkHealthcheck(needed: string, users: readonly Service[]): void {
    const { project, observed } = this.#input
    const service = project.services[needed]!
    const image = observed.images.get(imageName(project, service) ?? '')
    const check = service.healthcheck
    const has = check?.disable ? false : check?.test !== undefined || (image?.healthcheck ?? true)
    if (has) return
    const user = users[0]!.name
    const place = project.place(['services', user, 'depends_on', needed])
    const at = place ? `${place.file}:${place.line}:${place.column} ` : ''
    throw new Failure(
      'invalid',
      `${at}Cannot start service "${user}": it needs "${needed}" healthy, which has no healthcheck`,
      {
        hint: `Give "${needed}" a healthcheck, or use condition service_started`,
      },
    )
  }

  #waitReady(service: Service): void {
    for (const { replica, started, name, container } of this.#planned.get(service.name) ?? []) {
      const waited = ['healthy', 'completed'].some(condition =>
        this.#waits.has(JSON.stringify([service.name, replica.number, condition, true])),
      )
      if (waited) continue
      if (replica.kind === 'keep' && (replica.done || isReady(replica.container))) continue
      this.#plan.add(
        {
          kind: 'wait-container',
          cause: 'asked for',
          name,
          service: service.name,
          container,
          condition: 'ready',
          required: true,
        },
        started === undefined ? [] : [started],
      )
    }
  }
}

function isReady(container: ObservedContainer): boolean {
  return container.state === 'running' && (container.health === undefined || container.health === 'healthy')
}

export interface RemovalOptions {
  readonly cause: string
  readonly timeout: number | undefined
  readonly after?: readonly NodeId[]
  /** Containers already stopped by a node. */
  readonly stopped?: ReadonlyMap<string, NodeId>
  readonly volumes?: boolean
}

/** Stops, if it runs, and removes a container; returns the last node. */
export function planRemoval(plan: Plan, container: ObservedContainer, options: RemovalOptions): NodeId {
  const { cause, timeout, after = [], volumes = false } = options
  const on = { cause, name: container.name, service: container.service || undefined, container: container.id }
  const stopped = options.stopped?.get(container.id)
  const before =
    stopped !== undefined
      ? [...after, stopped]
      : isLive(container)
        ? [plan.add({ kind: 'stop-container', ...on, timeout }, after)]
        : after
  return plan.add({ kind: 'remove-container', ...on, force: false, volumes }, before)
}
