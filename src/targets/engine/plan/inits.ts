/** Init containers: the pre_start of a service, each a container of its own that has ended well before a container of the service starts. */
import type { ContainerCreate } from '../../../api/container-body.ts'
import type { Project } from '../../../model/project.ts'
import type { Hook, Service } from '../../../model/service.ts'
import type { NodeId, Ref } from '../../../plan/operation.ts'
import type { EnginePlan } from '../engine-plan.ts'
import { labels } from '../labels.ts'
import type { Observed } from '../observed.ts'
import type { FileUpload, Late } from '../operation.ts'
import { type ContainerBodyInput, containerBody } from './container-body.ts'
import { isLive, planRemoval } from './ending.ts'
import type { Hooked } from './hooks.ts'
import { imageName, initName } from './names.ts'
import type { Replica } from './replicas.ts'

/** What bodies of containers are made of, whoever plans. */
export interface InitContext extends Pick<ContainerBodyInput, 'project' | 'files' | 'container' | 'containerNames'> {
  /** The id of an image by its reference, or the pull that will tell it. */
  readonly image: (name: string) => { readonly ref: Ref; readonly node: NodeId | undefined } | undefined
}

/** The pre_start of one service in one plan. */
export class Inits {
  readonly #plan: EnginePlan
  readonly #context: InitContext
  readonly #service: Service
  /** Whether those that run once for all replicas are due. */
  readonly #due: boolean
  /** Index → node of what is run once. */
  readonly #once = new Map<number, NodeId>()

  constructor(
    plan: EnginePlan,
    { service, due, ...context }: InitContext & { readonly service: Service; readonly due: boolean },
  ) {
    this.#plan = plan
    this.#context = context
    this.#service = service
    this.#due = due
  }

  /** What must have come about before a replica, which is made by then, starts: in the order of the stack file, after `after`. */
  before({ number, ...on }: Hooked & { readonly number: number }, after: readonly NodeId[]): readonly NodeId[] {
    let last = after
    for (const [index, hook] of this.#service.preStart.entries()) {
      if (!hook.perReplica && !this.#due) continue
      const done = hook.perReplica ? undefined : this.#once.get(index)
      const node = done ?? this.#add({ hook, index, number }, on, last)
      if (!hook.perReplica) this.#once.set(index, node)
      last = done === undefined ? [node] : [...last, done]
    }
    return last
  }

  #add(step: Step, { container, service }: Hooked, after: readonly NodeId[]): NodeId {
    const { project, image } = this.#context
    const { hook, index, number } = step
    const name = initName(project, this.#service.name, hook.perReplica ? { number, index } : { index })
    const found = image(hook.image ?? imageName(project, this.#service) ?? '')
    const { body, late, uploads } = initBody(this.#context, this.#service, {
      ...step,
      name,
      container,
      image: found?.ref,
    })
    const cause = `pre_start[${index}], before ${hook.perReplica ? 'each of ' : ''}${this.#service.name} starts`
    return this.#plan.add(
      {
        kind: 'run-init',
        cause,
        name,
        service: service ?? this.#service.name,
        container,
        once: !hook.perReplica,
        platform: this.#service.platform,
        body,
        late,
        files: uploads,
      },
      found?.node === undefined ? after : [...after, found.node],
    )
  }
}

/** Init containers whose `up` was broken off, and which none of the plan takes the place of. */
export function planLeftInits(plan: EnginePlan, observed: Observed, services: readonly Service[]): void {
  const names = new Set(services.map(({ name }) => name))
  const comes = new Set(plan.nodes.flatMap(({ operation }) => (operation.kind === 'run-init' ? [operation.name] : [])))
  for (const container of observed.containers)
    if (container.labels[labels.hook] !== undefined && names.has(container.service) && !comes.has(container.name))
      planRemoval(plan, container, { cause: 'left over from an interrupted start', service: undefined, timeout: 0 })
}

/** Those that run once are due when no replica runs that stays as it is. */
export function isOnceDue(replicas: readonly Replica[]): boolean {
  return replicas.every(replica => {
    if (replica.kind === 'create' || replica.kind === 'recreate') return true
    if (replica.kind === 'start') return replica.container.state !== 'paused'
    return !isLive(replica.container)
  })
}

/** References of the images that the pre_start of a service has beside its own. */
export function initImages({ preStart }: Pick<Service, 'preStart'>): readonly string[] {
  return preStart.flatMap(({ image }) => image ?? [])
}

interface Step {
  readonly hook: Hook
  readonly index: number
  readonly number: number
}

interface InitBody extends Step {
  readonly name: string
  /** The replica it is run for, whose volumes it has. */
  readonly container: Ref
  readonly image: Ref | undefined
}

function initBody(
  context: InitContext,
  service: Service,
  { hook, name, container, image }: InitBody,
): { readonly body: ContainerCreate; readonly late: readonly Late[]; readonly uploads: readonly FileUpload[] } {
  const { project } = context
  const { body, late, uploads } = containerBody({
    ...context,
    service: initService(project, service, hook),
    name,
    number: undefined,
    image,
    // it must not answer for its service
    slug: name,
  })
  const volumes = { path: ['HostConfig', 'VolumesFrom'], ref: container, before: '', after: '', list: true }
  return { body: { ...body, Labels: initLabels(project, service) }, late: [...withoutLabels(late), volumes], uploads }
}

/** By these `down` finds what is left of one, and everybody else knows it for no replica. */
function initLabels(project: Project, { name }: Service): Record<string, string> {
  return {
    [labels.project]: project.name,
    [labels.service]: name,
    [labels.oneOff]: 'True',
    [labels.hook]: 'pre_start',
    [labels.directory]: project.directory,
    [labels.files]: project.files.join(','),
  }
}

function withoutLabels(late: readonly Late[]): readonly Late[] {
  return late.filter(({ path }) => path[0] !== 'Labels')
}

/**
 * The service as its init container sees it: the same isolation, limits, networks and variables, and what the hook says.
 * Volumes come from the replica, anonymous ones too; what only one container can have or answer for stays with the replica.
 */
function initService(project: Project, service: Service, hook: Hook): Service {
  const { deploy: _deploy, healthcheck: _health, containerName: _name, macAddress: _mac, ...rest } = service
  const networks = Object.entries(service.networks).map(([key, attachment]) => {
    const { ipv4Address: _4, ipv6Address: _6, macAddress: _own, ...shared } = attachment
    return [key, { ...shared, aliases: [], linkLocalIPs: [] }] as const
  })
  return {
    ...rest,
    image: hook.image ?? imageName(project, service),
    build: undefined,
    // its image's own: that of the service belongs to the command of the service
    entrypoint: undefined,
    command: hook.command.length > 0 ? hook.command : undefined,
    environment: { ...service.environment, ...hook.environment },
    user: hook.user ?? (hook.image === undefined ? service.user : undefined),
    workingDir: hook.workingDir ?? service.workingDir,
    privileged: hook.privileged,
    healthcheck: { disable: true },
    restart: { kind: 'no' },
    tty: false,
    stdinOpen: false,
    labels: {},
    ports: [],
    expose: [],
    networks: Object.fromEntries(networks),
    mounts: service.mounts.filter(({ kind }) => kind === 'tmpfs'),
    volumesFrom: [],
  }
}
