/** Compares what a project wants with what is there and plans the difference: the plan of `up`. */
import { order } from '../../../graph/order.ts'
import { serviceGraph } from '../../../graph/services.ts'
import { Failure } from '../../../lib/failure.ts'
import { ProblemsFailure } from '../../../lib/problems.ts'
import { list } from '../../../lib/text.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import { changeText } from '../../../plan/change.ts'
import { EnginePlan } from '../engine-plan.ts'
import { labels, parseFields } from '../labels.ts'
import type { Observed, ObservedContainer } from '../observed.ts'
import { networkKey } from './adjust.ts'
import { containerBody, endpointsOf, linksItself, linksOf } from './container-body.ts'
import type { Wanted } from './diverge.ts'
import { fileObjects } from './file-objects.ts'
import { type Decisions, followDependencies } from './follow-changes.ts'
import { type Hashed, hashService } from './hash.ts'
import type { Holding } from './holding.ts'
import { liveHostConfig } from './host-config.ts'
import { type PullWhen, planImages } from './images.ts'
import { textChanges } from './live-fields.ts'
import { type Made, toBeMade } from './made.ts'
import { containerName, imageName } from './names.ts'
import { type PlannedNetworks, planNetworks } from './networks.ts'
import { planRemovalOfOrphans, warnOfOrphans } from './orphans.ts'
import { replicaNames } from './replica-names.ts'
import { asItIs, decide, isAsItShould, isReplica } from './replicas.ts'
import { orphanTest } from './scope.ts'
import { ServicePlanner } from './services.ts'
import { planVolumes } from './volumes.ts'

export interface UpOptions {
  /** Undefined: all of the project. Others are left alone, and are no orphans. */
  readonly services?: readonly string[] | undefined
  /** Only the named services, not what they depend on. */
  readonly noDeps?: boolean | undefined
  /** Service → replicas, instead of what the stack says. */
  readonly scale?: Readonly<Record<string, number>>
  /** diverged: what differs (default); always: every container of the named services; never: none. */
  readonly recreate?: 'diverged' | 'always' | 'never'
  /** What the named services depend on is recreated, whatever `recreate` says. */
  readonly recreateDependencies?: boolean
  /** Diverged named volumes, all or those of these names, are made anew and lose what is in them; others are kept, with a warning. */
  readonly recreateVolumes?: boolean | ReadonlySet<string> | undefined
  readonly removeOrphans?: boolean
  /** No word of orphans that stay. */
  readonly quietOrphans?: boolean
  /** Instead of each service's pull_policy. */
  readonly pull?: PullWhen
  /** always: what is built is built anew; never: not even what is missing. Undefined: what is missing, or by pull_policy. */
  readonly build?: 'always' | 'never' | undefined
  readonly renewAnonVolumes?: boolean
  /** Seconds of grace when a container is stopped, instead of its own. */
  readonly timeout?: number
  /** Create, do not start. */
  readonly noStart?: boolean
  /** End only when every service is running and healthy. */
  readonly wait?: boolean
  /** Nobody asks: only what is not as it was made is mended; a newer image of the same name is no reason. */
  readonly holding?: Holding | undefined
}

/**
 * @throws ProblemsFailure when the project cannot be brought up whatever is done, with all that keeps it from that: an image that
 * would have to be built and must not, a network of somebody else's under the same name; Failure for a cycle or a service that is not there.
 */
export function reconcile(project: Project, observed: Observed, options: UpOptions = {}): EnginePlan {
  const services = selected(project, options)
  const plan = new EnginePlan()
  const { timeout } = options
  const all = options.services === undefined
  const removeOrphans = options.removeOrphans ? orphanTest(project, observed) : undefined
  const networks = planNetworks(plan, { project, observed, services, all, timeout, removeOrphans })
  const recreate = options.recreateVolumes ?? false
  const volumes = planVolumes(plan, { project, observed, services, all, recreate, timeout })

  const hashes = new Map(services.map(service => [service.name, hashService(project, service, observed.files)]))
  const decisions: Decisions = new Map()
  for (const service of services) {
    const decided = decideService(service, { project, observed, options, networks, decisions, hashes })
    const isLeft = options.holding?.isLeft?.(service.name) ?? false
    if (isLeft && !isAsItShould(decided)) options.holding?.differs?.(service.name)
    decisions.set(service.name, isLeft ? asItIs(decided) : decided)
    for (const id of volumes.removed.keys()) recreateGone(service, decisions, id)
    followDependencies(service, decisions, { holding: options.holding })
  }
  warnOfTexts(plan, decisions, hashes)

  const creating = services.filter(s => decisions.get(s.name)!.some(d => d.kind === 'create' || d.kind === 'recreate'))
  for (const service of creating) checkRunnable(plan, service, { project, observed })
  const starting = options.noStart
    ? []
    : services.filter(s => decisions.get(s.name)!.some(d => !['keep', 'remove', 'restart'].includes(d.kind)))
  const noBuild = options.build === 'never'
  const images = planImages(plan, { project, observed, services: creating, starting, pull: options.pull, noBuild })
  plan.settle()
  new ServicePlanner(plan, {
    project,
    observed,
    services,
    decisions,
    hashes,
    networks,
    volumes,
    images,
    timeout,
    renewAnonVolumes: options.renewAnonVolumes ?? false,
    start: !options.noStart,
    wait: options.wait ?? false,
    holding: options.holding !== undefined,
  }).run()
  if (options.removeOrphans) {
    const { timeout } = options
    planRemovalOfOrphans(plan, { project, observed, timeout, stopped: networks.stopped })
  } else if (!options.quietOrphans) warnOfOrphans(plan, project, observed)
  return plan
}

/** What is needed before what needs it. */
function selected(project: Project, options: UpOptions): readonly Service[] {
  for (const name of [...(options.services ?? []), ...Object.keys(options.scale ?? {})])
    if (!Object.hasOwn(project.services, name))
      throw new Failure('not-found', `no such service: ${name}`, {
        hint: `Choose among ${list(Object.keys(project.services).sort(), 'or')}`,
      })
  for (const [name, count] of Object.entries(options.scale ?? {})) {
    if (!Number.isInteger(count) || count < 0)
      throw new Failure('invalid', `Cannot scale service "${name}" to ${count}: it must be a whole number from 0`)
    if (count > 1 && project.services[name]!.containerName !== undefined)
      throw new Failure(
        'invalid',
        `Cannot scale service "${name}" to ${count}: its container_name can be given once only`,
        {
          hint: 'Remove container_name',
        },
      )
  }
  return selectedNames(project, options).map(name => project.services[name]!)
}

/** Those named and, unless told otherwise, what they depend on; what is needed before what needs it. */
export function selectedNames(
  project: Project,
  { services, noDeps }: Pick<UpOptions, 'services' | 'noDeps'>,
): readonly string[] {
  const graph = serviceGraph(project)
  const wanted = services === undefined ? undefined : noDeps ? new Set(services) : graph.closure(services)
  return order(graph).filter(name => wanted === undefined || wanted.has(name))
}

interface DecideContext {
  readonly project: Project
  readonly observed: Observed
  readonly options: UpOptions
  readonly networks: PlannedNetworks
  readonly decisions: Decisions
  readonly hashes: ReadonlyMap<string, Hashed>
}

function decideService(service: Service, context: DecideContext) {
  const { project, observed, options, networks, decisions, hashes } = context
  const named = options.services === undefined || options.services.includes(service.name)
  const recreate = options.recreate ?? 'diverged'
  const wantedNetworks = Object.keys(service.networks).flatMap(key => {
    const network = networks.networks.get(key)
    return network ? [{ key, name: network.name, id: network.id, anew: network.anew ?? false }] : []
  })
  return decide({
    project,
    observed,
    service,
    replicas: options.holding?.replicas?.(service.name) ?? options.scale?.[service.name] ?? service.replicas,
    // force is for those that are named; what they depend on has a word of its own
    recreate: named
      ? recreate
      : options.recreateDependencies
        ? 'always'
        : recreate === 'always'
          ? 'diverged'
          : recreate,
    parted: networks.parted,
    holding: options.holding,
    wanted: {
      service,
      hashed: hashes.get(service.name)!,
      imageId:
        options.holding && !options.holding.images
          ? undefined
          : observed.images.get(imageName(project, service) ?? '')?.id,
      networks: wantedNetworks,
      made: container => wantedMade(service, container, context),
      live: wantedLive(service, wantedNetworks, context),
      volumes: service.mounts.flatMap(mount => {
        const volume = mount.kind === 'volume' && mount.source !== undefined ? project.volumes[mount.source] : undefined
        return volume ? [{ key: volume.key, name: volume.name }] : []
      }),
      shares: sharedModes(service).flatMap(([mode, shared]) =>
        options.holding && !decisions.get(shared)?.some(isReplica)
          ? []
          : [{ mode, service: shared, id: keptContainer(shared, observed, decisions) }],
      ),
    },
  })
}

function sharedModes({ networkMode, ipc, pid }: Service) {
  return Object.entries({ NetworkMode: networkMode, IpcMode: ipc, PidMode: pid }).flatMap(([mode, value]) =>
    value?.kind === 'service' ? [[mode as 'NetworkMode' | 'IpcMode' | 'PidMode', value.service] as const] : [],
  )
}

/** As with Compose a changed text recreates nothing, which a reader should know. */
function warnOfTexts(plan: EnginePlan, decisions: Decisions, hashes: DecideContext['hashes']): void {
  for (const [service, decided] of decisions)
    for (const decision of decided) {
      if (decision.kind === 'create' || decision.kind === 'recreate' || decision.kind === 'remove') continue
      const { name, labels: own } = decision.container
      for (const change of textChanges(parseFields(own[labels.fields]) ?? {}, hashes.get(service)!.fields))
        plan.warn(
          `Container "${name}" keeps its old text, ${changeText(change)}: --force-recreate gives it the new one`,
        )
    }
}

/** As far as it can be known before other containers are: what it shares with them is told by their services. */
function wantedMade(service: Service, { number }: ObservedContainer, context: DecideContext): Made | undefined {
  const { project, observed, hashes } = context
  const name = containerName(project, service, number ?? 1)
  const rest = { files: observed.files, hashed: hashes.get(service.name)!, image: undefined }
  try {
    const container = (needed: string) => needed
    const containerNames = (needed: string) => replicaNames(context, needed)
    const { body } = containerBody({ project, service, name, number, ...rest, container, containerNames })
    return toBeMade(name, body)
  } catch (error) {
    // a config that cannot be had is told of when the container is to be made
    if (error instanceof ProblemsFailure) return undefined
    throw error
  }
}

/** By container, whose name is among its aliases. */
function wantedLive(service: Service, networks: Wanted['networks'], context: DecideContext): Wanted['live'] {
  const { project, observed, hashes, networks: planned } = context
  const host = liveHostConfig(service)
  const keyOf = networkKey(project.networks, observed.networks, project.name)
  const anew = new Set([...planned.networks.values()].flatMap(network => (network.anew ? [network.name] : [])))
  const links = linksOf({ service, containerNames: needed => replicaNames(context, needed) })
  return ({ number }) => {
    const all = endpointsOf({ project, service, name: containerName(project, service, number ?? 1) }, links)
    const endpoints = Object.fromEntries(networks.map(({ key, name }) => [name, { key, endpoint: all[name] ?? {} }]))
    return {
      hashed: hashes.get(service.name)!,
      host,
      endpoints: service.networkMode.kind === 'networks' ? endpoints : undefined,
      links: linksItself(service) ? links : undefined,
      anew,
      swap: observed.limitsSwap,
      keyOf,
    }
  }
}

/** The first container of a service if it stays. */
function keptContainer(name: string, observed: Observed, decisions: Decisions): string | undefined {
  const decided = decisions.get(name)?.find(isReplica)
  if (!decided) return observed.containers.find(c => c.service === name && !c.oneOff)?.id
  return decided.kind === 'create' || decided.kind === 'recreate' ? undefined : decided.container.id
}

/** A container that was removed for its volume's sake is made again. */
function recreateGone(service: Service, decisions: Decisions, id: string): void {
  decisions.set(
    service.name,
    decisions
      .get(service.name)!
      .map(decision =>
        decision.kind !== 'create' && decision.kind !== 'remove' && decision.container.id === id
          ? { kind: 'recreate', number: decision.number, container: decision.container, cause: 'a volume is made anew' }
          : decision,
      ),
  )
}

/** What is found out only when a container is to be made, with its place. */
function checkRunnable(
  plan: EnginePlan,
  service: Service,
  { project, observed }: Pick<DecideContext, 'project' | 'observed'>,
) {
  const at = ['services', service.name]
  const cannot = `Cannot run service "${service.name}"`
  if (service.provider)
    plan.refuse(project, [...at, 'provider'], {
      code: 'unsupported-provider',
      message: `${cannot}: provider services are not supported yet`,
    })
  else if (imageName(project, service) === undefined)
    plan.refuse(project, at, { code: 'no-image', message: `${cannot}: it has neither image nor build` })
  plan.collect(() => fileObjects(project, service, observed.files))
}
