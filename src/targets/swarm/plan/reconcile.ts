/** Compares what a stack wants with what a swarm has of it, and plans the difference: the plan of `up`. */
import type { SwarmService } from '../../../api/swarm-objects.ts'
import { order } from '../../../graph/order.ts'
import { serviceGraph } from '../../../graph/services.ts'
import { list } from '../../../lib/text.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import { changesText } from '../../../plan/change.ts'
import type { NodeId, Ref } from '../../../plan/operation.ts'
import type { Wish } from '../../target.ts'
import { labels, serviceName } from '../labels.ts'
import type { ObservedSwarm } from '../observed.ts'
import type { FileRefs, WaitCondition } from '../operation.ts'
import { SwarmPlan } from '../swarm-plan.ts'
import { type PlannedFiles, planFiles, planUnused } from './files.ts'
import { type PlannedNetworks, planNetworks } from './networks.ts'
import { profileOf } from './privileges.ts'
import { serviceSpec } from './service-spec.ts'
import { replacesTasks, specChanges, specFields } from './spec-fields.ts'

/** @throws ProblemsFailure with all that keeps the stack from being brought up; Failure for a cycle */
export function reconcile(project: Project, observed: ObservedSwarm, wish: Wish): SwarmPlan {
  const plan = new SwarmPlan()
  const services = selected(project, wish)
  const used = <T>(of: (service: Service) => readonly T[]): ReadonlySet<T> => new Set(services.flatMap(of))
  const networks = planNetworks(plan, {
    project,
    observed,
    used: used(({ networks }) => Object.keys(networks)),
    services: new Set(services.map(({ name }) => serviceName(project.name, name))),
  })
  const files = planFiles(plan, {
    project,
    observed,
    used: {
      secret: used(({ secrets }) => secrets.map(({ source }) => source)),
      config: used(({ configs }) => configs.map(({ source }) => source)),
    },
  })
  const planner = new ServicePlanner(plan, {
    project,
    observed,
    wish,
    networks,
    files,
  })
  for (const service of services) planner.plan(service)
  planner.warn()
  const gone = planOrphans(plan, { project, observed, wish })
  planUnused(plan, {
    project: project.name,
    observed,
    named: planner.namedFiles(gone),
    after: planner.ends,
  })
  plan.settle()
  return plan
}

/** Those named and what they depend on; what is needed before what needs it. */
function selected(project: Project, { services }: Wish): readonly Service[] {
  const graph = serviceGraph(project)
  const wanted = services === undefined ? undefined : graph.closure(services)
  return order(graph).flatMap(name => (wanted === undefined || wanted.has(name) ? [project.services[name]!] : []))
}

interface Given {
  readonly project: Project
  readonly observed: ObservedSwarm
  readonly wish: Wish
  readonly networks: PlannedNetworks
  readonly files: PlannedFiles
}

/** A service of the plan, for those that depend on it. */
interface Planned {
  readonly target: Ref
  readonly before: string | undefined
  /** Undefined: nothing is done to it. */
  readonly node: NodeId | undefined
  /** As many of its tasks run as should. */
  readonly isUp: boolean
  readonly waits: Map<WaitCondition, NodeId>
}

class ServicePlanner {
  readonly #plan: SwarmPlan
  readonly #given: Given
  readonly #planned = new Map<string, Planned>()
  readonly #named = { secret: new Set<string>(), config: new Set<string>() }
  readonly #ends: NodeId[] = []
  readonly #untold = new Set<string>()

  constructor(plan: SwarmPlan, given: Given) {
    this.#plan = plan
    this.#given = given
  }

  /** The last node of each service: what comes after all that may still need the old. */
  get ends(): readonly NodeId[] {
    return this.#ends
  }

  /** Names of secrets and configs that services will name, those that are not of this plan included. */
  namedFiles(gone: ReadonlySet<string>): {
    readonly secret: ReadonlySet<string>
    readonly config: ReadonlySet<string>
  } {
    const { project, observed } = this.#given
    for (const [name, { Spec }] of observed.services) {
      const isPlanned = [...this.#planned.keys()].some(key => serviceName(project.name, key) === name)
      if (!isPlanned && !gone.has(name)) this.#name(Spec)
    }
    return this.#named
  }

  /** Images that are not pinned. */
  warn(): void {
    for (const image of this.#untold)
      this.#plan.warn(`No registry tells the digest of "${image}": nodes may run different versions of it`)
  }

  plan(service: Service): void {
    const { project, observed, wish } = this.#given
    if (!this.#check(service)) return
    const found = observed.services.get(serviceName(project.name, service.name))
    const forced = found?.Spec.TaskTemplate.ForceUpdate ?? 0
    const make = (more: number) =>
      serviceSpec({
        project,
        service,
        replicas: wish.scale?.[service.name] ?? service.replicas,
        image: this.#image(service, found),
        files: this.#given.files,
        profiles: observed.profiles,
        forced: forced + more,
      })
    const spec = make(found && wish.force && isNamed(wish, service.name) ? 1 : 0)
    this.#name(spec)
    const files = this.#refs(service)
    const base = { name: spec.Name, service: service.name, spec, files }
    const gone = this.#given.networks.moved.get(spec.Name)
    const after = () => [...this.#dependencies(service), ...this.#made(service), ...(gone === undefined ? [] : [gone])]
    if (!found || gone !== undefined) {
      const cause = found ? 'a network of it is made anew' : `no service "${spec.Name}"`
      const node = this.#plan.add({ kind: 'create-service', cause, ...base }, after())
      this.#end(service, {
        target: { node },
        before: undefined,
        node,
        isUp: false,
        waits: new Map(),
      })
      return
    }
    const before = found.UpdateStatus?.StartedAt
    const names = (target: string) => [...observed.networks.values()].find(({ Id }) => Id === target)?.Name ?? target
    const changes = specChanges(specFields(spec, names), specFields(found.Spec, names))
    if (changes.length === 0) {
      const { RunningTasks = 0, DesiredTasks = 0 } = found.ServiceStatus ?? {}
      this.#plan.keep(spec.Name, RunningTasks > 0 ? 'running' : 'stopped', service.name)
      this.#planned.set(service.name, {
        target: found.ID,
        before,
        node: undefined,
        isUp: RunningTasks >= DesiredTasks,
        waits: new Map(),
      })
      return
    }
    const node = this.#plan.add(
      {
        kind: 'update-service',
        cause: changesText(changes),
        ...base,
        id: found.ID,
        version: found.Version.Index,
        changes,
        replaces: replacesTasks(spec, found.Spec, names),
      },
      after(),
    )
    this.#end(service, {
      target: found.ID,
      before,
      node,
      isUp: false,
      waits: new Map(),
    })
  }

  /** What no swarm would take, at its place. */
  #check(service: Service): boolean {
    const { project } = this.#given
    const refuse = (path: readonly string[], message: string, hint: string): false => {
      this.#plan.refuse(project, ['services', service.name, ...path], {
        code: 'not-in-a-swarm',
        message: `Cannot run service "${service.name}" in a swarm: ${message}`,
        hint,
      })
      return false
    }
    if (service.image === undefined)
      return refuse(
        ['build'],
        'its image has no name that the nodes could pull',
        'Say with "x-registry" where images go, or give it "image"',
      )
    if (service.schedule)
      return refuse([], 'it runs by a schedule, which the keeper holds on one machine', 'Leave it out by a profile')
    const range = service.ports.find(({ published }) => published !== undefined && !/^\d+$/.test(published))
    if (range) return refuse(range.path.slice(2), 'a published port is one port, not a range', 'Name one port')
    const ingress = service.ports.find(({ mode }) => mode === 'ingress')
    if (ingress && service.deploy?.endpointMode === 'dnsrr')
      return refuse(
        ingress.path.slice(2),
        'with endpoint_mode dnsrr there is no virtual address that a port could lead to',
        'Say "mode: host" for the port, or endpoint_mode vip',
      )
    const mount = service.mounts.find(({ kind }) => kind === 'image' || kind === 'npipe')
    if (mount) return refuse(mount.path.slice(2), `it mounts no ${mount.kind}`, 'Use a volume, a config or a secret')
    const profile = service.securityOpt.findIndex(text => {
      const path = profileOf(text, project.directory)
      return path !== undefined && !this.#given.observed.profiles.has(path)
    })
    if (profile >= 0)
      return refuse(
        ['security_opt', String(profile)],
        `"${service.securityOpt[profile]}" is no readable file of JSON`,
        'Create the profile',
      )
    const { kind } = service.networkMode
    if (kind !== 'networks' && kind !== 'host')
      return refuse(['network_mode'], 'its tasks are on networks or on the host', 'Leave it out, or say "host"')
    return true
  }

  /** Pinned to the digest that its registry tells; where that does not answer, to the one it has. */
  #image({ image = '', build: isBuilt }: Service, found: SwarmService | undefined): string {
    if (image.includes('@')) return image
    const digest = this.#given.observed.digests.get(image)
    if (digest !== undefined) return `${image}@${digest}`
    const has = found?.Spec.TaskTemplate.ContainerSpec.Image
    if (has?.startsWith(`${image}@`)) return has
    // what is built is pushed before it is brought up
    if (!isBuilt || this.#given.project.registry === undefined) this.#untold.add(image)
    return image
  }

  #refs(service: Service): FileRefs {
    const of = (kind: 'secret' | 'config') =>
      Object.fromEntries(
        service[`${kind}s`].flatMap(({ source }) => {
          const planned = this.#given.files[kind].get(source)
          return planned ? [[planned.name, planned.ref] as const] : []
        }),
      )
    return { secrets: of('secret'), configs: of('config') }
  }

  #name({ TaskTemplate: { ContainerSpec } }: SwarmService['Spec']): void {
    for (const { SecretName } of ContainerSpec.Secrets ?? []) this.#named.secret.add(SecretName)
    for (const { ConfigName } of ContainerSpec.Configs ?? []) this.#named.config.add(ConfigName)
  }

  /** Nodes that make what it names. */
  #made(service: Service): readonly NodeId[] {
    const { networks, files } = this.#given
    const refs = [
      ...service.secrets.map(({ source }) => files.secret.get(source)?.ref),
      ...service.configs.map(({ source }) => files.config.get(source)?.ref),
    ]
    return [
      ...Object.keys(service.networks).flatMap(key => networks.made.get(key) ?? []),
      ...refs.flatMap(ref => (typeof ref === 'object' ? [ref.node] : [])),
    ]
  }

  /** Waits for what it depends on, where anything is done to that. */
  #dependencies(service: Service): readonly NodeId[] {
    const waits: NodeId[] = []
    for (const { service: needed, condition, required } of Object.values(service.dependsOn)) {
      const planned = this.#planned.get(needed)
      if (planned === undefined || (planned.node === undefined && planned.isUp)) continue
      // a task that has a check runs, for a swarm, once it is healthy
      waits.push(
        this.#wait(needed, planned, {
          condition: condition === 'completed' ? 'completed' : 'started',
          required,
        }),
      )
    }
    return waits
  }

  #wait(
    service: string,
    planned: Planned,
    { condition, required }: { readonly condition: WaitCondition; readonly required: boolean },
  ): NodeId {
    const known = planned.waits.get(condition)
    if (known !== undefined) return known
    const { project } = this.#given
    const node = this.#plan.add(
      {
        kind: 'wait-service',
        cause: condition === 'completed' ? `until "${service}" has done its work` : `until "${service}" is up`,
        name: serviceName(project.name, service),
        service,
        target: planned.target,
        before: planned.before,
        condition,
        required,
        stack: project.name,
      },
      planned.node === undefined ? [] : [planned.node],
    )
    planned.waits.set(condition, node)
    return node
  }

  #end(service: Service, planned: Planned): void {
    this.#planned.set(service.name, planned)
    this.#ends.push(
      this.#wait(service.name, planned, {
        condition: 'started',
        required: true,
      }),
    )
  }
}

function isNamed({ services }: Wish, name: string): boolean {
  return services === undefined || services.includes(name)
}

/** Removes services that the stack no longer has, or tells of them; names of those that go. */
function planOrphans(
  plan: SwarmPlan,
  { project, observed, wish }: Pick<Given, 'project' | 'observed' | 'wish'>,
): ReadonlySet<string> {
  const known = new Set(
    [...Object.keys(project.services), ...Object.keys(project.disabledServices)].map(key =>
      serviceName(project.name, key),
    ),
  )
  const orphans = [...observed.services].filter(([name]) => !known.has(name))
  if (orphans.length === 0) return new Set()
  if (!wish.removeOrphans) {
    if (!wish.quietOrphans)
      plan.warn(
        `${list(orphans.map(([name]) => name))} ${orphans.length === 1 ? 'is' : 'are'} not in the stack: --remove-orphans removes`,
      )
    return new Set()
  }
  for (const [name, { ID, Spec }] of orphans) {
    const service = Spec.Labels?.[labels.service] ?? name
    plan.add({
      kind: 'remove-service',
      cause: 'the stack has no such service',
      name,
      service,
      id: ID,
    })
  }
  return new Set(orphans.map(([name]) => name))
}
