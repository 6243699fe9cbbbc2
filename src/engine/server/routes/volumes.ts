/** Endpoints of volumes, in Docker's shapes. */
import type { Handlers } from '../../../api/endpoint.ts'
import { booleanFilter, checkFilters, type Filters, matchesLabels, matchesOne } from '../../../api/filters.ts'
import type { VolumeInspect, volumeEndpoints } from '../../../api/volumes.ts'
import { isFailure } from '../../../lib/failure.ts'
import type { Containers } from '../../containers/containers.ts'
import type { Volume, Volumes } from '../../volumes/volumes.ts'
import { folderSize } from '../folder-size.ts'

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
            (filters['name'] ?? ['']).some(part => volume.name.includes(part)) &&
            (dangling === undefined || (usedBy(volume.name).length === 0) === dangling),
        )
      return { Volumes: found.map(volumeInspect), Warnings: null }
    },
    volumeCreate: async ({ body }) =>
      volumeInspect(
        await volumes.create({
          name: body.Name,
          driver: body.Driver,
          driverOpts: body.DriverOpts,
          labels: body.Labels,
        }),
      ),
    volumeInspect: ({ params }) => volumeInspect(volumes.get(params.name)),
    volumeRemove: ({ params, query }) => volumes.remove(params.name, { force: query.force ?? false, usedBy }),
    volumePrune: async ({ query }) => {
      const filters = query.filters ?? {}
      checkFilters(filters, ['all', 'label', 'label!'])
      return pruneVolumes(volumes, usedBy, filters)
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
async function pruneVolumes(volumes: Volumes, usedBy: (name: string) => readonly string[], filters: Filters) {
  const all = booleanFilter(filters, 'all') ?? false
  const removed: string[] = []
  let reclaimed = 0
  for (const { name, labels, mountpoint } of volumes.list()) {
    if (!all && !Object.hasOwn(labels, anonymous)) continue
    if (usedBy(name).length > 0 || !matchesLabels(filters['label'], labels)) continue
    if ((filters['label!'] ?? []).some(label => matchesLabels([label], labels))) continue
    const size = await folderSize(mountpoint)
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
  return { VolumesDeleted: removed, SpaceReclaimed: reclaimed }
}
