/** What of a project is to be moved from one engine to another, and what stays behind, as both engines tell it. */

import { type ContainerInspect, type ContainerSummary, containerEndpoints } from '../api/containers.ts'
import { imageEndpoints } from '../api/images.ts'
import { listedName } from '../api/listed-name.ts'
import { type VolumeInspect, volumeEndpoints } from '../api/volumes.ts'
import type { Client } from '../client/client.ts'
import { isFailure } from '../lib/failure.ts'
import { plural } from '../lib/text.ts'
import { labels, projectFilter } from '../targets/engine/labels.ts'

export interface MovedImage {
  /** As containers name it; an id where it has no name any more. */
  readonly name: string
  readonly size: number
  /** The same is there already. */
  readonly isThere: boolean
}

export interface MovedVolume {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** An image of the source that can be made a container of. */
  readonly image: string
  /** Why it is not copied. */
  readonly stays: string | undefined
}

export interface Migration {
  readonly project: string
  /** Of the source, sorted by name. */
  readonly containers: readonly ContainerSummary[]
  readonly images: readonly MovedImage[]
  readonly volumes: readonly MovedVolume[]
  /** What no copy brings over, a sentence each. */
  readonly left: readonly string[]
}

export interface Engines {
  readonly source: Client
  readonly target: Client
  readonly signal?: AbortSignal | undefined
}

export async function lookAt(project: string, engines: Engines): Promise<Migration> {
  const { source, signal } = engines
  const query = { all: true, filters: projectFilter(project) }
  const found = await source.call(containerEndpoints.containerList, { query }, { signal })
  const containers = found.toSorted((a, b) => (listedName(a) < listedName(b) ? -1 : 1))
  const inspected = await Promise.all(
    containers.map(({ Id: id }) => source.call(containerEndpoints.containerInspect, { params: { id } }, { signal })),
  )
  const images = await imagesOf(inspected, engines)
  return {
    project,
    containers,
    images,
    volumes: await volumesOf(project, inspected, { ...engines, image: images[0]?.name }),
    left: (await Promise.all(inspected.map(each => leftOf(each, engines)))).flat(),
  }
}

async function imagesOf(
  containers: readonly ContainerInspect[],
  { source, target, signal }: Engines,
): Promise<readonly MovedImage[]> {
  const names = [...new Set(containers.map(({ Config, Image }) => Config.Image || Image))].sort()
  return await Promise.all(
    names.map(async (name): Promise<MovedImage> => {
      // the one that its container was made of may have lost its name to a newer one
      const ids = new Set(containers.filter(({ Config, Image }) => (Config.Image || Image) === name).map(c => c.Image))
      const named = await inspectImage(source, name, signal)
      const own = named && ids.has(named.Id) ? name : [...ids][0]!
      const { Size } = named ?? (await source.call(imageEndpoints.imageInspect, { params: { name: own } }, { signal }))
      const there = await inspectImage(target, own, signal)
      return {
        name: own,
        size: Size ?? 0,
        isThere: there !== undefined && (there.Id === named?.Id || there.Id === own),
      }
    }),
  )
}

async function inspectImage(client: Client, name: string, signal: AbortSignal | undefined) {
  try {
    return await client.call(imageEndpoints.imageInspect, { params: { name } }, { signal })
  } catch (error) {
    if (isFailure(error, 'not-found')) return undefined
    throw error
  }
}

const isAnonymous = (name: string): boolean => /^[0-9a-f]{64}$/.test(name)

/** The project's own, and those of others that its containers have. */
async function volumesOf(
  project: string,
  containers: readonly ContainerInspect[],
  { source, target, signal, image }: Engines & { readonly image: string | undefined },
): Promise<readonly MovedVolume[]> {
  const [here, there] = await Promise.all([
    source.call(volumeEndpoints.volumeList, {}, { signal }),
    target.call(volumeEndpoints.volumeList, {}, { signal }),
  ])
  const mounted = new Map(
    containers.flatMap(({ Mounts, Image }) => Mounts.flatMap(({ Name }) => (Name ? [[Name, Image] as const] : []))),
  )
  const taken = new Set((there.Volumes ?? []).map(({ Name }) => Name))
  return (here.Volumes ?? [])
    .filter(({ Name, Labels }) => Labels?.[labels.project] === project || (mounted.has(Name) && !isAnonymous(Name)))
    .filter(({ Name }) => !isAnonymous(Name))
    .map(volume => ({
      name: volume.Name,
      labels: volume.Labels ?? {},
      image: mounted.get(volume.Name) ?? image ?? '',
      stays: staysBecause(volume, taken),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function staysBecause({ Name, Driver, Options }: VolumeInspect, taken: ReadonlySet<string>): string | undefined {
  if (taken.has(Name)) return 'there is one of this name already, which is left as it is'
  if (Driver !== 'local') return `its driver "${Driver}" keeps what is in it`
  return Object.keys(Options ?? {}).length > 0 ? 'its options say where its content is' : undefined
}

async function leftOf(container: ContainerInspect, { source, signal }: Engines): Promise<readonly string[]> {
  const name = container.Name.replace(/^\//, '')
  const anonymous = container.Mounts.filter(({ Type, Name = '' }) => Type === 'volume' && isAnonymous(Name))
  const changes = await source.call(containerEndpoints.containerChanges, { params: { id: container.Id } }, { signal })
  const count = changes?.length ?? 0
  return [
    ...anonymous.map(({ Destination }) => `the anonymous volume at ${Destination} of ${name}: a new one is made`),
    ...(count > 0
      ? [`${plural(count, 'file or folder', 'files and folders')} that ${name} has changed in its root`]
      : []),
    ...(container.Config.Labels?.[labels.oneOff] === 'True' ? [`${name}, which "run" made`] : []),
  ]
}
