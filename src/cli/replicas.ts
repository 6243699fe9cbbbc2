/** The containers of a project, straight from one list call, and which of them a command means. */

import type { ContainerSummary } from '../api/containers.ts'
import { endpoints } from '../api/endpoints.ts'
import type { Client } from '../client/client.ts'
import { Failure, isFailure } from '../lib/failure.ts'
import { labels, projectFilter } from '../plan/labels.ts'
import type { Call } from './command.ts'
import { checkServices, loadProject, projectName } from './project.ts'

export interface Replicas {
  readonly client: Client
  readonly project: string
  /** By name, and replicas of a service by number. */
  readonly containers: readonly ContainerSummary[]
}

export interface ReplicasOptions {
  /** Stopped ones too. */
  readonly all?: boolean
  /** Those of `run` too. */
  readonly oneOff?: boolean
  /** Undefined or empty: all. */
  readonly services?: readonly string[]
}

/** What runs (or `all`) of the call's project; services that are named must exist in the stack or among the containers. */
export async function replicasOf(call: Call, options: ReplicasOptions = {}): Promise<Replicas> {
  const [project, client] = await Promise.all([projectName(call), call.connect()])
  const found = await client.call(
    endpoints.containerList,
    { query: { all: options.all || (options.services?.length ?? 0) > 0, filters: projectFilter(project) } },
    { signal: call.signal },
  )
  const services = options.services ?? []
  const known = new Set(found.map(serviceOf))
  if (services.some(name => !known.has(name))) checkServices(services, await servicesInFile(call, known))
  const containers = found
    .filter(each => services.length === 0 || services.includes(serviceOf(each)))
    .filter(each => options.oneOff || each.Labels?.[labels.oneOff] !== 'True')
    .filter(each => options.all || each.State === 'running' || each.State === 'paused' || each.State === 'restarting')
    .sort(byName)
  return { client, project, containers }
}

/** One replica of a service: the one with `index`, or the first that runs. */
export async function replicaOf(
  call: Call,
  service: string,
  index: number | undefined,
): Promise<Replicas & { one: ContainerSummary }> {
  const replicas = await replicasOf(call, { services: [service] })
  const one = replicas.containers.find(each => index === undefined || numberOf(each) === index)
  if (one) return { ...replicas, one }
  throw index === undefined
    ? new Failure('conflict', `Cannot use service "${service}": it is not running`, {
        hint: 'Start it with "tscompose up -d"',
      })
    : new Failure('not-found', `Cannot use replica ${index} of service "${service}": it is not running`)
}

async function servicesInFile(call: Call, known: ReadonlySet<string>): Promise<Iterable<string>> {
  try {
    const { project } = await loadProject(call)
    return [...known, ...Object.keys(project.services), ...Object.keys(project.disabledServices)]
  } catch (error) {
    // known by -p alone: then its containers are all there is to know
    if (isFailure(error, 'not-found')) return known
    throw error
  }
}

export function serviceOf(container: ContainerSummary): string {
  return container.Labels?.[labels.service] ?? ''
}

/** The replica's number; undefined for a container of `run`. */
export function numberOf(container: ContainerSummary): number | undefined {
  const text = container.Labels?.[labels.number]
  return text === undefined ? undefined : Number(text)
}

export function nameOf(container: ContainerSummary): string {
  return (container.Names[0] ?? container.Id.slice(0, 12)).replace(/^\//, '')
}

/** By service, then by number; an Intl.Collator would do, and take ten milliseconds to make. */
function byName(a: ContainerSummary, b: ContainerSummary): number {
  const [one, two] = [serviceOf(a), serviceOf(b)]
  if (one !== two) return one < two ? -1 : 1
  return (numberOf(a) ?? Infinity) - (numberOf(b) ?? Infinity) || (nameOf(a) < nameOf(b) ? -1 : 1)
}
