/** What takes how much of the disk, project by project. */
import type { DiskUsage } from '../api/system.ts'

export interface DiskRow {
  /** Empty for what belongs to none. */
  readonly Project: string
  readonly Containers: number
  /** Bytes that containers have written. */
  readonly ContainersSize: number
  readonly Images: number
  /** Bytes of its images' layers; those that projects share count for each. */
  readonly ImagesSize: number
  readonly Volumes: number
  readonly VolumesSize: number
}

const projectLabel = 'com.docker.compose.project'

/** Sorted by project, what belongs to none last. */
export function diskRows({ Containers, Images, Volumes }: DiskUsage): readonly DiskRow[] {
  const containers = Containers ?? []
  const images = new Map((Images ?? []).map(image => [image.Id, image]))
  const of = (labels: Readonly<Record<string, string>> | null | undefined) => labels?.[projectLabel] ?? ''
  const used = new Map<string, Set<string>>()
  for (const { Labels, ImageID } of containers) {
    const project = of(Labels)
    used.set(project, (used.get(project) ?? new Set()).add(ImageID))
  }
  const taken = new Set([...used.values()].flatMap(ids => [...ids]))
  // what no container has belongs to whoever built it, or to nobody
  for (const { Id, Labels } of images.values()) {
    if (taken.has(Id)) continue
    const project = of(Labels)
    used.set(project, (used.get(project) ?? new Set()).add(Id))
  }
  const volumes = Volumes ?? []
  const projects = new Set([...used.keys(), ...volumes.map(({ Labels }) => of(Labels))])
  const sum = (sizes: readonly (number | undefined)[]) =>
    sizes.reduce<number>((all, size) => all + Math.max(0, size ?? 0), 0)
  return [...projects]
    .sort((a, b) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1))
    .map(project => {
      const ownContainers = containers.filter(({ Labels }) => of(Labels) === project)
      const ownImages = [...(used.get(project) ?? [])].flatMap(id => images.get(id) ?? [])
      const ownVolumes = volumes.filter(({ Labels }) => of(Labels) === project)
      return {
        Project: project,
        Containers: ownContainers.length,
        ContainersSize: sum(ownContainers.map(({ SizeRw }) => SizeRw)),
        Images: ownImages.length,
        ImagesSize: sum(ownImages.map(({ Size }) => Size)),
        Volumes: ownVolumes.length,
        VolumesSize: sum(ownVolumes.map(({ UsageData }) => UsageData?.Size)),
      }
    })
}
