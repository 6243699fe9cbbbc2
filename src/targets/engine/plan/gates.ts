/** What a service waits for before it starts, by its depends_on: each wait planned once, whoever needs it. */
import type { Condition } from '../../../model/dependency.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { NodeId } from '../../../plan/operation.ts'
import type { EnginePlan } from '../engine-plan.ts'
import { needs } from './follow-changes.ts'
import type { Planned } from './jobs.ts'
import { isDone } from './replicas.ts'

interface Needed {
  readonly condition: Condition
  readonly required: boolean
}

export class Gates {
  readonly #plan: EnginePlan
  readonly #project: Project
  /** Those that are brought up. */
  readonly #services: readonly Service[]
  /** Waits by service, number, condition and whether they must succeed. */
  readonly #waits = new Map<string, NodeId>()

  constructor(
    plan: EnginePlan,
    { project, services }: { readonly project: Project; readonly services: readonly Service[] },
  ) {
    this.#plan = plan
    this.#project = project
    this.#services = services
  }

  /** The nodes after which a service may start; `planned`: what is planned for those it needs. */
  of(service: Service, planned: ReadonlyMap<string, readonly Planned[]>): readonly NodeId[] {
    return Object.values(service.dependsOn).flatMap(({ service: needed, condition, required }) =>
      (planned.get(needed) ?? []).flatMap(each => this.#gate(needed, each, { condition, required })),
    )
  }

  isWaitedFor(service: Service, number: number, condition: Condition): boolean {
    return this.#waits.has(JSON.stringify([service.name, number, condition, true]))
  }

  #gate(needed: string, planned: Planned, { condition, required }: Needed): readonly NodeId[] {
    const { replica, started, name, container } = planned
    const after = started === undefined ? [] : [started]
    if (condition === 'started') return after
    if (replica.kind === 'keep' && condition === 'healthy' && replica.container.health === 'healthy') return []
    if (replica.kind === 'keep' && isDone(this.#project.services[needed]!, replica.container)) return []
    const users = this.#services.filter(user => {
      const dependency = user.dependsOn[needed]
      return dependency?.condition === condition && dependency.required === required
    })
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
}
