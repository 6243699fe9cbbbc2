/** The plan of `run`: what the service needs, then one more container of it that is no replica. */
import type { ContainerCreate } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { EnginePlan } from '../engine-plan.ts'
import type { Observed } from '../observed.ts'
import { containerBody } from './container-body.ts'
import { planImages } from './images.ts'
import { imageName, oneOffName } from './names.ts'
import { planNetworks } from './networks.ts'
import { warnOfOrphans } from './orphans.ts'
import { planVolumes } from './volumes.ts'

export interface OneOff {
  readonly project: Project
  readonly service: Service
  readonly observed: Observed
  /** 64 hex digits. */
  readonly slug: string
  readonly name: string | undefined
  readonly useAliases: boolean
  readonly pull: 'always' | 'missing' | 'never' | undefined
  /** No word of orphans that stay. */
  readonly quietOrphans: boolean
  /** Wait for what the service depends on. */
  readonly wait: boolean
  readonly change: (body: ContainerCreate) => ContainerCreate
}

/** The container is created, not started: whoever wants its output must be there before. */
export function planOneOff(oneOff: OneOff): { readonly plan: EnginePlan; readonly name: string } {
  const { project, service, observed, slug } = oneOff
  const name = oneOff.name ?? oneOffName(project, service.name, slug)
  const plan = new EnginePlan()
  const needed: NodeId[] = []
  const services = [service]
  if (!oneOff.quietOrphans) warnOfOrphans(plan, project, observed)
  const { networks } = planNetworks(plan, { project, observed, services, timeout: undefined, keep: true })
  const { nodes: volumes } = planVolumes(plan, { project, observed, services, recreate: false, timeout: undefined })
  const image = planImages(plan, { project, observed, services, pull: oneOff.pull }).get(
    imageName(project, service) ?? '',
  )
  plan.settle()
  needed.push(
    ...plan.nodes.map(node => node.id),
    ...[...networks.values()].flatMap(each => each.node ?? []),
    ...volumes.values(),
  )
  if (oneOff.wait) needed.push(...waits(plan, service, observed))
  const containers = (dependency: string) =>
    observed.containers
      .filter(each => each.service === dependency && !each.oneOff)
      .sort((a, b) => (a.number ?? 0) - (b.number ?? 0))
  const { body, late, uploads } = containerBody({
    project,
    service,
    name,
    number: undefined,
    slug,
    files: observed.files,
    image: image?.ref,
    container: (dependency, what) => {
      const first = containers(dependency)[0]
      if (first) return first.id
      throw new Failure('not-found', `cannot share ${what} with service ${dependency}: container missing`, {
        hint: `Start it with "tscompose up -d ${dependency}"`,
      })
    },
    containerNames: dependency => containers(dependency).map(each => each.name),
  })
  const created = plan.add(
    {
      kind: 'create-container',
      cause: 'asked for by run',
      name,
      service: service.name,
      createName: name,
      platform: service.platform,
      body: oneOff.change(oneOff.useAliases ? withAliases(body, service) : body),
      late,
    },
    needed,
  )
  if (uploads.length > 0)
    plan.add(
      {
        kind: 'upload-files',
        cause: 'configs and secrets',
        name,
        service: service.name,
        container: { node: created },
        files: uploads,
      },
      [created],
    )
  return { plan, name }
}

function waits(plan: EnginePlan, service: Service, observed: Observed): NodeId[] {
  return Object.values(service.dependsOn).flatMap(({ service: needed, condition, required }) =>
    condition === 'started'
      ? []
      : observed.containers
          .filter(each => each.service === needed && !each.oneOff)
          .map(({ id, name }) =>
            plan.add({
              kind: 'wait-container',
              cause: `${service.name} needs ${needed} ${condition}`,
              name,
              service: needed,
              container: id,
              condition,
              required,
            }),
          ),
  )
}

/** --use-aliases: it answers for its service too. */
function withAliases(body: ContainerCreate, service: Service): ContainerCreate {
  const endpoints = Object.entries(body.NetworkingConfig?.EndpointsConfig ?? {}).map(([name, endpoint]) => {
    const own = Object.values(service.networks).flatMap(each => each.aliases)
    return [name, { ...endpoint, Aliases: [...new Set([...(endpoint?.Aliases ?? []), service.name, ...own])] }] as const
  })
  return endpoints.length === 0
    ? body
    : { ...body, NetworkingConfig: { EndpointsConfig: Object.fromEntries(endpoints) } }
}
