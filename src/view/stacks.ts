/** Stacks and their services as rows, from the containers that an engine lists: what each is in, worst first. */
import type { ContainerSummary } from '../api/containers.ts'
import { listedName } from '../api/listed-name.ts'
import { labels, parseDependencies } from '../targets/engine/labels.ts'
import { byName, numberOf, serviceOf } from './names.ts'
import { type Publisher, publishersOf } from './ports.ts'
import { type UrlRow, urlRows } from './urls.ts'

/** In order of how much a person would want to know of it. */
export const conditions = [
  'failed',
  'unhealthy',
  'restarting',
  'starting',
  'paused',
  'created',
  'stopped',
  'running',
  'done',
] as const
export type Condition = (typeof conditions)[number]

export interface ReplicaRow {
  readonly id: string
  readonly name: string
  readonly service: string
  /** Undefined for a container of `run`. */
  readonly number: number | undefined
  /** One of `run`. */
  readonly oneOff: boolean
  readonly condition: Condition
  /** As the engine says it: "Up 4 seconds (healthy)". */
  readonly status: string
  readonly exitCode: number | undefined
  readonly health: 'starting' | 'healthy' | 'unhealthy' | undefined
  readonly image: string
  /** Milliseconds since 1970. */
  readonly created: number
  readonly ports: readonly Publisher[]
}

export interface ServiceRow {
  readonly name: string
  readonly condition: Condition
  readonly replicas: readonly ReplicaRow[]
  readonly needs: readonly { readonly service: string; readonly condition: string }[]
}

export interface StackRow {
  readonly name: string
  readonly directory: string | undefined
  readonly files: readonly string[]
  readonly condition: Condition
  readonly services: readonly ServiceRow[]
  readonly urls: readonly UrlRow[]
}

/** In order of their names; containers of no project are left out. */
export function stackRows(containers: readonly ContainerSummary[], here?: string): readonly StackRow[] {
  const projects = new Map<string, ContainerSummary[]>()
  for (const container of containers) {
    const name = container.Labels?.[labels.project]
    // an init container is there for a moment, and none of the stack's services
    if (name === undefined || container.Labels?.[labels.hook] !== undefined) continue
    const all = projects.get(name)
    if (all) all.push(container)
    else projects.set(name, [container])
  }
  return [...projects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, all]) => stackRow(name, all, here))
}

function stackRow(name: string, containers: readonly ContainerSummary[], here: string | undefined): StackRow {
  const newest = containers.reduce((a, b) => (b.Created > a.Created ? b : a))
  const services = new Map<string, ContainerSummary[]>()
  for (const container of [...containers].sort(byName)) {
    const service = serviceOf(container)
    services.set(service, [...(services.get(service) ?? []), container])
  }
  const rows = [...services].sort(([a], [b]) => (a < b ? -1 : 1)).map(([service, all]) => serviceRow(service, all))
  return {
    name,
    directory: newest.Labels?.[labels.directory],
    files: newest.Labels?.[labels.files]?.split(',') ?? [],
    condition: worst(rows.filter(({ replicas }) => replicas.some(each => !each.oneOff)).map(row => row.condition)),
    services: rows,
    urls: urlRows(containers, here),
  }
}

function serviceRow(name: string, containers: readonly ContainerSummary[]): ServiceRow {
  const replicas = containers.map(replicaRow)
  const own = replicas.filter(({ oneOff }) => !oneOff)
  const newest = containers.reduce((a, b) => (b.Created > a.Created ? b : a))
  return {
    name,
    condition: worst((own.length > 0 ? own : replicas).map(each => each.condition)),
    replicas,
    needs: parseDependencies(newest.Labels?.[labels.dependsOn]).map(({ service, condition }) => ({
      service,
      condition,
    })),
  }
}

function replicaRow(container: ContainerSummary): ReplicaRow {
  const exitCode = exitCodeOf(container)
  const health = /\((?:health: )?(starting|healthy|unhealthy)\)/.exec(container.Status)?.[1] as ReplicaRow['health']
  return {
    id: container.Id,
    name: listedName(container),
    service: serviceOf(container),
    number: numberOf(container),
    oneOff: container.Labels?.[labels.oneOff] === 'True',
    condition: conditionOf(container, exitCode, health),
    status: container.Status,
    exitCode,
    health,
    image: container.Image,
    created: container.Created * 1000,
    ports: publishersOf(container.Ports ?? []),
  }
}

/** SIGINT, SIGKILL, SIGTERM: how what was stopped by a person ends. Whether memory was the reason the list does not say. */
const stopCodes: ReadonlySet<number> = new Set([130, 137, 143])

function conditionOf(
  { State }: ContainerSummary,
  exitCode: number | undefined,
  health: ReplicaRow['health'],
): Condition {
  switch (State) {
    case 'running':
      return health === 'unhealthy' || health === 'starting' ? health : 'running'
    case 'restarting':
    case 'paused':
    case 'created':
      return State
    case 'removing':
      return 'stopped'
    case 'dead':
      return 'failed'
    case 'exited':
      if (exitCode === 0) return 'done'
      return exitCode === undefined || stopCodes.has(exitCode) ? 'stopped' : 'failed'
    default:
      return State satisfies never
  }
}

/** The list tells the exit code in its status text only: "Exited (3) 4 seconds ago". */
function exitCodeOf({ State, Status }: ContainerSummary): number | undefined {
  if (State !== 'exited' && State !== 'dead' && State !== 'restarting') return undefined
  const code = /^(?:Exited|Restarting|Dead) \((\d+)\)/.exec(Status)?.[1]
  return code === undefined ? undefined : Number(code)
}

/** Running when there is nothing to be worse. */
export function worst(all: readonly Condition[]): Condition {
  const first = Math.min(...all.map(each => conditions.indexOf(each)))
  return conditions[first] ?? 'stopped'
}
