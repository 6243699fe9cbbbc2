/** Asks a manager what is there of a stack: one list a kind, side by side, and one question a registry's image. */

import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { imageEndpoints } from '../../api/images.ts'
import { networkEndpoints } from '../../api/networks.ts'
import { swarmObjects } from '../../api/swarm-objects.ts'
import type { Client } from '../../client/client.ts'
import { errnoOf, Failure, isFailure } from '../../lib/failure.ts'
import type { Project } from '../../model/project.ts'
import type { Wish } from '../target.ts'
import { stackFilter } from './labels.ts'
import type { ObservedSwarm } from './observed.ts'
import { filesOf } from './plan/files.ts'
import { profilesOf } from './plan/privileges.ts'

/** The X-Registry-Auth header for an image, where there are credentials for its registry. */
export type AuthSource = (reference: string) => Promise<string | undefined>

export interface ObserveOptions {
  readonly project?: Project | undefined
  readonly wish?: Wish | undefined
  readonly registryAuth: AuthSource
  readonly signal: AbortSignal
}

/** @throws Failure when the engine is no manager of a swarm */
export async function observe(client: Client, name: string, options: ObserveOptions): Promise<ObservedSwarm> {
  const { project, signal } = options
  const query = { filters: stackFilter(name) }
  const quick = { signal }
  // only a plan needs what is not the stack's own, and only a list its tasks
  const [services, networks, secrets, configs, tasks, nodes, digests] = await Promise.all([
    client.call(swarmObjects.serviceList, { query: { ...query, status: true } }, quick).catch(noManager),
    client.call(networkEndpoints.networkList, {}, quick),
    client.call(swarmObjects.secretList, {}, quick).catch(noManager),
    client.call(swarmObjects.configList, {}, quick).catch(noManager),
    project ? [] : client.call(swarmObjects.taskList, { query }, quick).catch(noManager),
    project ? [] : client.call(swarmObjects.nodeList, {}, quick).catch(noManager),
    project ? digestsOf(client, project, options) : new Map<string, string>(),
  ])
  const byName = <T extends { readonly Spec: { readonly Name: string } }>(all: readonly T[]) =>
    new Map(all.map(each => [each.Spec.Name, each]))
  return {
    services: byName(services),
    networks: new Map(networks.map(each => [each.Name, each])),
    secrets: byName(secrets),
    configs: byName(configs),
    digests,
    files: project ? hashFiles(filesOf(project)) : new Map(),
    profiles: project ? readProfiles(profilesOf(project)) : new Map(),
    tasks,
    nodes: new Map(nodes.map(each => [each.ID, each])),
  }
}

function noManager(error: unknown): never {
  if (!isFailure(error, 'unavailable') || !/swarm/.test(error.message)) throw error
  throw new Failure('unavailable', `Cannot use the target swarm: ${error.message}`, {
    hint: 'Name a manager of a swarm with --host or DOCKER_HOST',
    cause: error,
  })
}

/** What cannot be read is left out: the plan says of which config or secret it is. */
function hashFiles(files: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    files.flatMap(file => {
      try {
        return [[file, hash('sha256', readFileSync(file))] as const]
      } catch (error) {
        if (errnoOf(error) === undefined) throw error
        return []
      }
    }),
  )
}

/** As one line each; what cannot be read, or is no JSON, is left out: the plan says whose it is. */
function readProfiles(paths: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    paths.flatMap(path => {
      try {
        return [[path, JSON.stringify(JSON.parse(readFileSync(path, 'utf8')))] as const]
      } catch (error) {
        if (errnoOf(error) === undefined && !(error instanceof SyntaxError)) throw error
        return []
      }
    }),
  )
}

/** Of each image that the stack names without one; a registry that does not answer leaves it out, and the plan says so. */
async function digestsOf(
  client: Client,
  project: Project,
  { registryAuth, wish, signal }: ObserveOptions,
): Promise<ReadonlyMap<string, string>> {
  const images = new Set(Object.values(project.services).flatMap(({ image }) => image ?? []))
  const pushed = wish?.digests ?? new Map<string, string>()
  const found = await Promise.all(
    [...images]
      .filter(image => !image.includes('@') && !pushed.has(image))
      .map(async name => {
        const headers = { registryAuth: await registryAuth(name) }
        try {
          const { Descriptor } = await client.call(
            imageEndpoints.distributionInspect,
            { params: { name }, headers },
            { signal },
          )
          return [[name, Descriptor.digest] as const]
        } catch (error) {
          if (!isFailure(error) || signal.aborted) throw error
          return []
        }
      }),
  )
  return new Map([...pushed, ...found.flat()])
}
