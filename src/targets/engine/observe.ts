/** Asks the engine what is there of a project: a few lists side by side, no call per container. */
import { existsSync, readFileSync } from 'node:fs'
import { containerEndpoints } from '../../api/containers.ts'
import { imageEndpoints } from '../../api/images.ts'
import { networkEndpoints } from '../../api/networks.ts'
import { systemEndpoints } from '../../api/system.ts'
import { volumeEndpoints } from '../../api/volumes.ts'
import type { Client } from '../../client/client.ts'
import { errnoOf, isFailure } from '../../lib/failure.ts'
import { projectFilter } from './labels.ts'
import {
  type Observed,
  type ObservedContainer,
  type ObservedImage,
  observedContainer,
  observedImage,
  observedNetwork,
  observedVolume,
} from './observed.ts'
import { folderHash } from './plan/file-objects.ts'
import { type Made, madeOf } from './plan/made.ts'
import { filesOfContainer } from './plan/owner.ts'

export interface ObserveOptions {
  readonly signal?: AbortSignal | undefined
  /** References of the images to look at: `imagesOf(project)` of plan/images.ts for `up`; none for `ps` and `down`. */
  readonly images?: readonly string[]
  /** Files behind configs and secrets: `filesOf(project)` of plan/file-objects.ts, for `up`. */
  readonly files?: readonly string[]
  /** Ask what the engine can that others cannot. */
  readonly abilities?: boolean
  /** Leave out networks and volumes: for commands that only look at containers. */
  readonly containersOnly?: boolean
}

/** By name only: `ps`, `down` and `stop` work without a stack file. */
export async function observe(client: Client, projectName: string, options: ObserveOptions = {}): Promise<Observed> {
  const { signal, images = [], files = [], containersOnly = false, abilities = false } = options
  const [containers, networks, volumes, foundImages, foundFiles, version] = await Promise.all([
    client.call(
      containerEndpoints.containerList,
      { query: { all: true, live: true, filters: projectFilter(projectName) } },
      { signal },
    ),
    // not by label: external ones, and those that are in the way, count too
    containersOnly ? [] : client.call(networkEndpoints.networkList, {}, { signal }),
    containersOnly ? undefined : client.call(volumeEndpoints.volumeList, {}, { signal }),
    Promise.all(images.map(name => findImage(client, name, signal))),
    hashFiles(files),
    abilities ? client.call(systemEndpoints.version, {}, { signal }) : undefined,
  ])
  return {
    now: Date.now(),
    containers: withFilesGone(containers.map(observedContainer)).sort((a, b) => (a.name < b.name ? -1 : 1)),
    networks: new Map(networks.map(item => [item.Name, observedNetwork(item)])),
    volumes: new Map((volumes?.Volumes ?? []).map(item => [item.Name, observedVolume(item)])),
    images: new Map(foundImages.filter(entry => entry !== undefined)),
    files: foundFiles,
    ...(version ? { handsOver: version.Platform?.Name === 'tscompose' } : {}),
  }
}

/** Asks of each of `ids` how it was made; one that has gone meanwhile is left as it was listed. */
export async function withMade(
  client: Client,
  observed: Observed,
  { ids, signal }: { readonly ids: readonly string[]; readonly signal: AbortSignal | undefined },
): Promise<Observed> {
  if (ids.length === 0) return observed
  const made = new Map(await Promise.all(ids.map(async id => [id, await findContainer(client, id, signal)] as const)))
  const containers = observed.containers.map(container => {
    const found = made.get(container.id)
    return found ? { ...container, made: found, live: found } : container
  })
  return { ...observed, containers }
}

async function findContainer(client: Client, id: string, signal: AbortSignal | undefined): Promise<Made | undefined> {
  try {
    return madeOf(await client.call(containerEndpoints.containerInspect, { params: { id } }, { signal }))
  } catch (error) {
    if (isFailure(error, 'not-found')) return undefined
    throw error
  }
}

/** Looks once for each stack file that containers name. */
function withFilesGone(containers: readonly ObservedContainer[]): ObservedContainer[] {
  const there = new Map<string, boolean>()
  const isThere = (file: string): boolean => {
    const known = there.get(file) ?? existsSync(file)
    there.set(file, known)
    return known
  }
  return containers.map(container => {
    const files = filesOfContainer(container)
    // standard input was there, and cannot be asked for again
    const filesGone = files.length > 0 && !files.some(file => file === '-' || isThere(file))
    return filesGone ? { ...container, filesGone } : container
  })
}

async function findImage(
  client: Client,
  name: string,
  signal: AbortSignal | undefined,
): Promise<readonly [string, ObservedImage] | undefined> {
  try {
    return [name, observedImage(await client.call(imageEndpoints.imageInspect, { params: { name } }, { signal }))]
  } catch (error) {
    // what is no name has no image; whoever would make a container of it has been told by then
    if (isFailure(error, 'not-found') || isFailure(error, 'invalid')) return undefined
    throw error
  }
}

/** sha256 of each file, by path; what cannot be read is left out. */
export async function hashFiles(files: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (files.length === 0) return new Map()
  // only here: it takes 5 ms to load
  const { hash } = await import('node:crypto')
  const entries = files.map(file => [file, fingerprint(file, content => hash('sha256', content))] as const)
  return new Map(entries.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** What cannot be read is left out: the plan says of which config or secret it is. A bound folder counts by its presence. */
function fingerprint(file: string, hash: (content: Buffer) => string): string | undefined {
  try {
    return hash(readFileSync(file))
  } catch (error) {
    return errnoOf(error) === 'EISDIR' ? folderHash : undefined
  }
}
