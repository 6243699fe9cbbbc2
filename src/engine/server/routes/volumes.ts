/** Endpoints of volumes, in Docker's shapes. */
import type { Handlers } from '../../../api/endpoint.ts'
import {
  booleanFilter,
  checkFilters,
  type Filters,
  matchesLabels,
  matchesOne,
  matchesPattern,
} from '../../../api/filters.ts'
import { NotReady } from '../../../api/status.ts'
import { compareVersions } from '../../../api/version.ts'
import type { VolumeInspect, volumeEndpoints } from '../../../api/volumes.ts'
import { isFailure } from '../../../lib/failure.ts'
import type { Containers } from '../../containers/containers.ts'
import type { Volume, Volumes } from '../../volumes/volumes.ts'
import { noManager } from './swarm.ts'

const anonymous = 'com.docker.volume.anonymous'

export function volumeRoutes(
  volumes: Volumes,
  containers: Pick<Containers, 'usersOfVolume'>,
): Handlers<typeof volumeEndpoints> {
  const usedBy = (name: string) => containers.usersOfVolume(name)
  return {
    volumeList: ({ query }) => {
      const filters = query.filters ?? {}
      checkFilters(filters, ['dangling', 'driver', 'label', 'name'])
      const dangling = booleanFilter(filters, 'dangling')
      const found = volumes
        .list()
        .filter(
          volume =>
            matchesLabels(filters['label'], volume.labels) &&
            matchesOne(filters['driver'], volume.driver) &&
            matchesPattern(filters['name'], volume.name) &&
            (dangling === undefined || (usedBy(volume.name).length === 0) === dangling),
        )
      return { Volumes: found.map(volumeInspect), Warnings: null }
    },
    volumeCreate: async ({ body }) => {
      if (body.ClusterVolumeSpec) throw new NotReady(noManager)
      const { Name: name, Driver: driver, DriverOpts: driverOpts, Labels: labels } = body
      return volumeInspect(await volumes.create({ name, driver, driverOpts, labels }))
    },
    volumeClone: async ({ params, body }) =>
      volumeInspect(await volumes.clone(params.name, { name: body.Name, labels: body.Labels })),
    volumeInspect: ({ params }) => volumeInspect(volumes.get(params.name)),
    volumeRemove: ({ params, query }) => volumes.remove(params.name, { force: query.force ?? false, usedBy }),
    volumePrune: async ({ query }, { version }) => {
      const filters = query.filters ?? {}
      // before, named ones went as well, and nobody could ask otherwise
      const old = compareVersions(version, '1.42') < 0
      checkFilters(filters, ['label', 'label!', ...(old ? [] : ['all'])])
      return pruneVolumes(volumes, usedBy, { filters, all: old || (booleanFilter(filters, 'all') ?? false) })
    },
  }
}

export function volumeInspect(volume: Volume): VolumeInspect {
  const nullIfEmpty = (map: Readonly<Record<string, string>>) => (Object.keys(map).length > 0 ? map : null)
  return {
    CreatedAt: volume.created.toISOString().replace(/\.\d+Z$/, 'Z'),
    Driver: volume.driver,
    Labels: nullIfEmpty(volume.labels),
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: nullIfEmpty(volume.options),
    Scope: 'local',
  }
}

/** Unused ones: those that nobody named, or with `all` every one. */
async function pruneVolumes(
  volumes: Volumes,
  usedBy: (name: string) => readonly string[],
  { filters, all }: { readonly filters: Filters; readonly all: boolean },
) {
  const removed: string[] = []
  let reclaimed = 0
  for (const { name, labels } of volumes.list()) {
    if (!all && !Object.hasOwn(labels, anonymous)) continue
    if (usedBy(name).length > 0 || !matchesLabels(filters['label'], labels)) continue
    if ((filters['label!'] ?? []).some(label => matchesLabels([label], labels))) continue
    const size = await volumes.size(name)
    try {
      await volumes.remove(name, { usedBy })
    } catch (error) {
      // taken into use or removed by someone else in the meantime
      if (isFailure(error, 'conflict') || isFailure(error, 'not-found')) continue
      throw error
    }
    removed.push(name)
    reclaimed += size
  }
  volumes.tellPruned(reclaimed)
  return { VolumesDeleted: removed, SpaceReclaimed: reclaimed }
}
