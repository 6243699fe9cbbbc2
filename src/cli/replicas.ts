/** The containers of a project, straight from one list call, and which of them a command means. */

import type { ContainerSummary } from '../api/containers.ts'
import { endpoints } from '../api/endpoints.ts'
import type { Client } from '../client/client.ts'
import { Failure } from '../lib/failure.ts'
import { labels, projectFilter } from '../targets/engine/labels.ts'
import { byName, numberOf, serviceOf } from '../view/names.ts'
import type { Call } from './command.ts'
import { checkServices, loadProject, projectName } from './project.ts'

export interface Replicas {
  readonly client: Client
  readonly project: string
  /** By name. */
  readonly containers: readonly ContainerSummary[]
}

export interface ReplicasOptions {
  /** Stopped ones too. */
  readonly all?: boolean
  /** Those of `run` too. */
  readonly oneOff?: boolean
  /** Undefined or empty: all. */
  readonly services?: readonly string[]
  /** Services nobody knows are no error but have no containers, as for Compose's top, images and stats. */
  readonly anyService?: boolean
}

/** What runs (or `all`) of the call's project; services that are named must exist in the stack or among the containers. */
export async function replicasOf(call: Call, options: ReplicasOptions = {}): Promise<Replicas> {
  const [project, client] = await Promise.all([projectName(call), call.connect()])
  const services = options.services ?? []
  // a service that is named may be known by a stopped container alone
  const all = options.all || (services.length > 0 && !options.anyService)
  const found = await client.call(
    endpoints.containerList,
    { query: { all, filters: projectFilter(project) } },
    { signal: call.signal },
  )
  const known = new Set(found.map(serviceOf))
  if (!options.anyService && services.some(name => !known.has(name))) await checkNamed(call, services, known)
  const containers = found
    .filter(each => services.length === 0 || services.includes(serviceOf(each)))
    .filter(each => options.oneOff || !isOneOff(each))
    .filter(each => options.all || isUp(each))
    .sort(byName)
  return { client, project, containers }
}

/** One running replica of a service: the one with `index`, or the first, those of `run` last. */
export async function replicaOf(
  call: Call,
  service: string,
  index: number | undefined,
): Promise<Replicas & { one: ContainerSummary }> {
  const replicas = await replicasOf(call, { services: [service], oneOff: true, anyService: true })
  const wanted = index === undefined || index === 0 ? undefined : index
  const [one] = replicas.containers
    .filter(each => wanted === undefined || (numberOf(each) === wanted && !isOneOff(each)))
    .sort((a, b) => rank(a) - rank(b) || byName(a, b))
  if (one) return { ...replicas, one }
  // Compose's texts, which scripts look for
  throw wanted === undefined
    ? new Failure('conflict', `service "${service}" is not running`, { hint: 'Start it with "tscompose up -d"' })
    : new Failure('not-found', `service "${service}" is not running container #${wanted}`)
}

/** Lowest number first, containers of `run` last. */
function rank(container: ContainerSummary): number {
  return isOneOff(container) ? Infinity : (numberOf(container) ?? Infinity)
}

/**
 * Holds names that no container has against the stack, where there is one to ask: with -p alone there is none, and with
 * COMPOSE_PROJECT_NAME what is wrong with it is told but does not end the command, as with Compose.
 */
async function checkNamed(call: Call, services: readonly string[], known: ReadonlySet<string>): Promise<void> {
  if (call.globals['project-name'] !== undefined && call.globals.file.length === 0) return
  try {
    const { project } = await loadProject(call)
    checkServices(services, [...known, ...Object.keys(project.services), ...Object.keys(project.disabledServices)])
  } catch (error) {
    if (!(error instanceof Failure) || !call.env['COMPOSE_PROJECT_NAME']) throw error
    call.screen.warn(error.message)
  }
}

export function isOneOff(container: ContainerSummary): boolean {
  return container.Labels?.[labels.oneOff] === 'True'
}

function isUp({ State }: ContainerSummary): boolean {
  return State === 'running' || State === 'paused' || State === 'restarting'
}
