/** Which images of a project are built, why, and which of them after which others. */
import { Graph } from '../../../graph/graph.ts'
import { order } from '../../../graph/order.ts'
import { list } from '../../../lib/text.ts'
import type { Build } from '../../../model/build.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { EnginePlan } from '../engine-plan.ts'
import { labels } from '../labels.ts'
import type { Observed } from '../observed.ts'
import { type BuildFlags, type BuildOrder, buildOrder, contextServices } from './build-order.ts'
import { imageName } from './names.ts'

export interface BuildOptions {
  /** Undefined: all. */
  readonly services?: readonly string[] | undefined
  /** always: what is here is built anew too, from what the builder remembers; missing: by pull_policy too; absent: only what is not here. */
  readonly when: 'always' | 'missing' | 'absent'
  /** Why, of what is built only because of `when`: "asked for by --build". */
  readonly cause?: string
  readonly flags?: BuildFlags
  /** Service → images that its Dockerfile names, as written; what is not known orders nothing. */
  readonly bases?: ReadonlyMap<string, readonly string[]>
}

/** Service → why its image is to be built, for those named; cheap, to find out whether there is anything to build. */
export function buildsDue(project: Project, observed: Observed, options: BuildOptions): ReadonlyMap<string, string> {
  const due = new Map<string, string>()
  const { services, when } = options
  // of those named, one may use what another one builds
  const used = new Set(services?.flatMap(name => imageName(project, project.services[name]!) ?? []))
  for (const service of Object.values(project.services)) {
    if (!service.build) continue
    const image = imageName(project, service)!
    if (services && !services.includes(service.name) && !(when !== 'always' && used.has(image))) continue
    const byPolicy = when === 'missing'
    const cause = when === 'always' ? (options.cause ?? 'asked for') : whyMissing(project, observed, service, byPolicy)
    if (cause !== undefined) due.set(service.name, cause)
  }
  return due
}

function whyMissing(project: Project, observed: Observed, service: Service, byPolicy: boolean): string | undefined {
  if (!observed.images.has(imageName(project, service)!)) return 'not present'
  return byPolicy && service.pullPolicy.kind === 'build' ? 'pull_policy is build' : undefined
}

/** What is built of a project, each after those it is built from. @throws ProblemsFailure with all that no builder here can do */
export function planBuilds(project: Project, observed: Observed, options: BuildOptions): EnginePlan {
  const plan = new EnginePlan()
  const due = withSources(project, observed, { ...options, due: buildsDue(project, observed, options) })
  addBuilds(plan, { project, due, flags: options.flags ?? {}, bases: options.bases ?? new Map() })
  plan.settle()
  return plan
}

interface Due extends BuildOptions {
  readonly due: ReadonlyMap<string, string>
}

/** Those from which others are built too: where they are missing, or all is built. */
function withSources(project: Project, observed: Observed, { due, when, bases }: Due): ReadonlyMap<string, string> {
  const all = new Map(due)
  const open = [...due.keys()]
  for (let name = open.shift(); name !== undefined; name = open.shift()) {
    const contexts = contextServices(project.services[name]!.build!)
    for (const source of [...contexts, ...servicesOf(project, bases?.get(name) ?? [])]) {
      const service = project.services[source]
      if (!service?.build || all.has(source)) continue
      const wanted = (when === 'always' && contexts.includes(source)) || whyMissing(project, observed, service, false)
      if (!wanted) continue
      all.set(source, `"${name}" is built from it`)
      open.push(source)
    }
  }
  return all
}

interface Added {
  readonly project: Project
  readonly due: ReadonlyMap<string, string>
  readonly flags: BuildFlags
  readonly bases: ReadonlyMap<string, readonly string[]>
}

/** Image → the node that builds it. */
export function addBuilds(plan: EnginePlan, { project, due, flags, bases }: Added): ReadonlyMap<string, NodeId> {
  const graph = buildGraph(project, due, bases)
  const nodes = new Map<string, NodeId>()
  const images = new Map<string, NodeId>()
  const orders = new Map<string, Grouped>()
  for (const name of order(graph)) {
    const service = project.services[name]!
    check(plan, project, service)
    const made = buildOrder(project, service, service.build!, flags)
    const key = JSON.stringify(anonymous(made))
    const same = orders.get(key)
    if (same) same.services.push(name)
    else orders.set(key, { services: [name], made })
  }
  for (const { services, made } of orders.values()) {
    const image = made.names[0]!
    const after = services.flatMap(name => graph.dependencies(name).flatMap(needed => nodes.get(needed) ?? []))
    // the last one has the name in the end, whichever is quicker
    const before = images.get(image)
    const cause = due.get(services[0]!)!
    const place = () => project.place(['services', services[0]!, 'build'])
    const node = plan.add(
      { kind: 'build-image', cause, name: image, services, order: made, place },
      before === undefined ? after : [...after, before],
    )
    images.set(image, node)
    for (const name of services) nodes.set(name, node)
  }
  return images
}

interface Grouped {
  readonly services: string[]
  readonly made: BuildOrder
}

/** What tells one build from another: services that ask for the same are built once. */
function anonymous({ attributes, ...rest }: BuildOrder): object {
  return { ...rest, attributes: { ...attributes, [`label:${labels.service}`]: '' } }
}

/** What a service is built from comes before it; a base that would close a circle is taken as it is. */
function buildGraph(project: Project, due: Added['due'], bases: Added['bases']): Graph {
  const graph = new Graph()
  for (const name of [...due.keys()].sort()) graph.addNode(name)
  for (const name of due.keys())
    for (const needed of contextServices(project.services[name]!.build!))
      if (due.has(needed)) graph.addEdge(name, needed, 'additional_contexts')
  for (const name of due.keys())
    for (const needed of servicesOf(project, bases.get(name) ?? []))
      if (due.has(needed) && !graph.closure([needed]).has(name)) graph.addEdge(name, needed, 'FROM')
  return graph
}

/** The services that build images of these names. */
function servicesOf(project: Project, references: readonly string[]): readonly string[] {
  const wanted = new Set(references.map(familiar))
  return Object.values(project.services)
    .filter(({ build }) => build)
    .filter(service => [imageName(project, service)!, ...service.build!.tags].some(name => wanted.has(familiar(name))))
    .map(({ name }) => name)
}

/** One way to write a name: without Docker's registry, with a tag. */
function familiar(reference: string): string {
  const bare = reference.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '')
  return bare.includes('@') || bare.slice(bare.lastIndexOf('/') + 1).includes(':') ? bare : `${bare}:latest`
}

function check(plan: EnginePlan, project: Project, service: Service): void {
  const { platforms, isolation } = service.build as Build
  const at = ['services', service.name, 'build']
  const cannot = `Cannot build the image of service "${service.name}"`
  if (platforms.length > 1 && (service.platform === undefined || !platforms.includes(service.platform)))
    plan.refuse(project, [...at, 'platforms'], {
      code: 'many-platforms',
      message: `${cannot} for ${list(platforms)} at once: an image of an engine is for one platform`,
      hint: `Choose one of them with "platform" of the service`,
    })
  if (isolation !== undefined && isolation !== '' && isolation !== 'default')
    plan.refuse(project, [...at, 'isolation'], {
      code: 'unsupported-isolation',
      message: `${cannot} with isolation "${isolation}": that has a meaning on Windows only`,
      hint: 'Take it out',
    })
}
