/** The plan of `up`: what is wanted, by what the cluster has said of it, in the order of depends_on. */
import type { Project } from '../../../model/project.ts'
import { changesText } from '../../../plan/change.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { given } from '../../members.ts'
import type { Wish } from '../../target.ts'
import { ClusterPlan } from '../cluster-plan.ts'
import { serviceOf } from '../labels.ts'
import type { Live } from '../live.ts'
import { isWorkload, keyOf, type Manifest } from '../manifest.ts'
import { objectName } from '../names.ts'
import type { Wanted } from '../objects/given-input.ts'
import { versionLabel } from '../objects/pod.ts'
import type { Asked, ObservedCluster, Verdict } from '../observed.ts'
import type { ClusterOperation, WaitCondition } from '../operation.ts'
import { isUp } from '../workload-state.ts'
import { planOrphans, planUnused } from './unused.ts'

/** @throws ProblemsFailure with all that keeps the stack from being brought up */
export function reconcile(project: Project, observed: ObservedCluster, wish: Wish): ClusterPlan {
  const { asked } = observed
  if (!asked) throw new TypeError('The cluster was not asked for this stack')
  const plan = new ClusterPlan()
  for (const { path, refusal } of asked.refusals) plan.refuse(project, path, refusal)
  for (const { manifest, path } of asked.wanted) {
    const verdict = verdictOf(asked, manifest)
    if (verdict.kind === 'refused') plan.refuse(project, path, verdict.refusal)
  }
  plan.settle()
  const told = new Map<string, (readonly string[])[]>()
  const warn = (path: readonly string[], message: string) => told.set(message, [...(told.get(message) ?? []), path])
  for (const { path, message } of asked.notices) warn(path, message)
  for (const { manifest, path } of asked.wanted) {
    const verdict = verdictOf(asked, manifest)
    for (const field of 'lost' in verdict ? (verdict.lost ?? []) : []) warn(path, `this cluster does not keep ${field}`)
  }
  // one that holds for many is said once
  for (const [message, [first = [], ...others]] of told) {
    const more =
      others.length === 0 ? '' : ` (here and in ${others.length} more ${others.length === 1 ? 'place' : 'places'})`
    plan.warn(`${placeText(project, first)}: ${message}${more}`)
  }
  const planner = new Planner(plan, { project, observed, asked, wish })
  planner.plan()
  const orphans = planOrphans(plan, { project, observed, wish })
  planUnused(plan, { project, observed, asked, orphans, after: planner.ends })
  return plan
}

/** "compose.yaml:4:3 services.web" */
function placeText(project: Project, path: readonly string[]): string {
  const place = project.place(path)
  return [...(place ? [`${place.file}:${place.line}:${place.column}`] : []), path.join('.')].join(' ')
}

function verdictOf({ verdicts }: Asked, manifest: Manifest): Verdict {
  return verdicts.get(keyOf(manifest)) ?? { kind: 'new' }
}

interface Given {
  readonly project: Project
  readonly observed: ObservedCluster
  readonly asked: Asked
  readonly wish: Wish
}

/** A workload of the plan, for those that depend on it. */
interface Planned {
  readonly manifest: Manifest
  /** Undefined: nothing is done to it. */
  readonly node: NodeId | undefined
  readonly live: Live | undefined
  readonly waits: Map<WaitCondition, NodeId>
}

type Restarted = Extract<ClusterOperation, { readonly kind: 'restart-object' }>

class Planner {
  readonly #plan: ClusterPlan
  readonly #given: Given
  readonly #planned = new Map<string, Planned>()
  readonly #ends: NodeId[] = []

  constructor(plan: ClusterPlan, given: Given) {
    this.#plan = plan
    this.#given = given
  }

  /** What comes after all that may still need the old. */
  get ends(): readonly NodeId[] {
    return this.#ends
  }

  plan(): void {
    const { wanted } = this.#given.asked
    const [parent, ...others] = wanted
    const first = parent === undefined ? undefined : this.#write(parent, [])
    const before = first === undefined ? [] : [first]
    const shared: NodeId[] = []
    const ofService = new Map<string, NodeId[]>()
    for (const each of others) {
      if (isWorkload(each.manifest.kind)) continue
      const node = this.#write(each, before)
      if (node === undefined) continue
      if (each.service === undefined) shared.push(node)
      else ofService.set(each.service, [...(ofService.get(each.service) ?? []), node])
      this.#ends.push(node)
    }
    const workloads = new Map(
      others.flatMap(each =>
        isWorkload(each.manifest.kind) && each.service !== undefined ? [[each.service, each]] : [],
      ),
    )
    const visit = (name: string): void => {
      const each = workloads.get(name)
      if (!each || this.#planned.has(name)) return
      const dependencies = Object.keys(this.#given.project.services[name]?.dependsOn ?? {})
      for (const needed of dependencies) visit(needed)
      this.#workload(each, name, [...before, ...shared, ...(ofService.get(name) ?? [])])
    }
    for (const name of workloads.keys()) visit(name)
  }

  #workload(wanted: Wanted, name: string, made: readonly NodeId[]): void {
    const { observed } = this.#given
    const { manifest } = wanted
    const live = observed.objects.get(keyOf(manifest))
    const after = () => [...made, ...this.#dependencies(name), ...this.#otherKinds(name, manifest)]
    const node = this.#write(wanted, after)
    this.#planned.set(name, { manifest, node, live, waits: new Map() })
    if (node === undefined) this.#plan.keep(manifest.metadata.name, live && isUp(live) ? 'running' : 'stopped', name)
    else if (manifest.kind !== 'CronJob')
      this.#ends.push(this.#wait(name, this.#planned.get(name)!, { condition: 'started', required: true }))
    else this.#ends.push(node)
  }

  /** Undefined where it stays as it is. `after` is asked for only where it is not. */
  #write(wanted: Wanted, after: readonly NodeId[] | (() => readonly NodeId[])): NodeId | undefined {
    const { manifest, service, path } = wanted
    const verdict = verdictOf(this.#given.asked, manifest)
    const { project, observed, wish } = this.#given
    const { kind, metadata } = manifest
    // what is a service's but has no pods goes by its own name
    const place = path.length === 0 ? undefined : placeText(project, path)
    const base = given({ name: metadata.name, service: isWorkload(kind) ? service : undefined, manifest, place })
    const live = observed.objects.get(keyOf(manifest))
    const nodes = () => (typeof after === 'function' ? after() : after)
    switch (verdict.kind) {
      case 'new':
        return this.#plan.add({ kind: 'create-object', cause: `no ${kind} "${metadata.name}"`, ...base }, nodes())
      case 'changed':
        return this.#plan.add(
          { kind: 'update-object', cause: changesText(verdict.changes), changes: verdict.changes, ...base },
          nodes(),
        )
      case 'replaced': {
        const cause = [changesText(verdict.changes), verdict.why].filter(each => each !== '').join(' · ')
        const { changes } = verdict
        return this.#plan.add({ kind: 'replace-object', cause, changes, uid: live?.metadata.uid, ...base }, nodes())
      }
      default:
        return wish.force && live && isNamed(wish, service) ? this.#restart(base, live, nodes) : undefined
    }
  }

  /** What has not changed, with new pods. */
  #restart(
    base: Omit<Restarted, 'kind' | 'cause' | 'mark'>,
    live: Live,
    after: () => readonly NodeId[],
  ): NodeId | undefined {
    const { kind } = base.manifest
    const cause = 'force-recreate'
    if (kind === 'Job')
      return this.#plan.add({ kind: 'replace-object', cause, changes: [], uid: live.metadata.uid, ...base }, after())
    if (!isWorkload(kind) || kind === 'CronJob') return undefined
    // another value each time, and the same for the same plan
    return this.#plan.add(
      { kind: 'restart-object', cause, mark: String(live.metadata.generation ?? 0), ...base },
      after(),
    )
  }

  /** A service that has become another kind of workload has one at a time. */
  #otherKinds(service: string, { kind }: Manifest): readonly NodeId[] {
    const { observed } = this.#given
    return [...observed.objects.values()].flatMap(live => {
      if (!isWorkload(live.kind) || live.kind === kind || serviceOf(live) !== service) return []
      const { name, uid } = live.metadata
      return [
        this.#plan.add({ kind: 'delete-object', object: live.kind, cause: `it is a ${kind} now`, name, uid, service }),
      ]
    })
  }

  /** Waits for what it depends on, where anything is done to that. */
  #dependencies(name: string): readonly NodeId[] {
    const { project } = this.#given
    return Object.values(project.services[name]?.dependsOn ?? {}).flatMap(({ service, condition, required }) => {
      const planned = this.#planned.get(service)
      const completed = condition === 'completed'
      if (!planned || (planned.node === undefined && planned.live && isUp(planned.live, completed))) return []
      return [this.#wait(service, planned, { condition: completed ? 'completed' : 'started', required })]
    })
  }

  #wait(
    service: string,
    planned: Planned,
    { condition, required }: { readonly condition: WaitCondition; readonly required: boolean },
  ): NodeId {
    const known = planned.waits.get(condition)
    if (known !== undefined) return known
    const { manifest } = planned
    const { kind } = manifest
    if (!isWorkload(kind)) throw new TypeError(`${kind} has no pods`)
    const node = this.#plan.add(
      {
        kind: 'wait-workload',
        cause: condition === 'completed' ? `until "${service}" has done its work` : `until "${service}" is up`,
        name: manifest.metadata.name,
        service,
        object: kind,
        condition,
        version: versionLabel(manifest),
        required,
        stack: objectName(this.#given.project.name),
      },
      planned.node === undefined ? [] : [planned.node],
    )
    planned.waits.set(condition, node)
    return node
  }
}

function isNamed({ services }: Wish, name: string | undefined): boolean {
  return services === undefined || (name !== undefined && services.includes(name))
}
