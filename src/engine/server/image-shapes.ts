/** An image to Docker's JSON: inspect and list. */
import type { ImageInspect, ImageSummary } from '../../api/images.ts'
import type { HostPath } from '../../runtime/spec.ts'
import type { StorageDriver } from '../base/storage-driver.ts'
import type { Image } from '../images/image.ts'

const never = '0001-01-01T00:00:00Z'

/** `layers`: its unpacked folders, lowest first. */
export function imageInspect(
  image: Image,
  { layers, storage }: { readonly layers: readonly HostPath[]; readonly storage: StorageDriver },
): ImageInspect {
  const config = {
    Cmd: null,
    Entrypoint: null,
    Env: null,
    Labels: null,
    OnBuild: null,
    User: '',
    Volumes: null,
    WorkingDir: '',
    ...image.config,
  } as ImageInspect['Config']
  const [upper, ...lower] = [...layers].reverse()
  return {
    Id: image.id,
    RepoTags: image.tags,
    RepoDigests: image.digests,
    Parent: image.parent ?? '',
    Comment: image.comment,
    Created: image.created.toISOString(),
    DockerVersion: '',
    Author: image.author,
    Architecture: image.architecture,
    ...(image.variant === undefined ? {} : { Variant: image.variant }),
    Os: image.os,
    Size: image.size,
    // left out by newer engines, read without asking by docker-compose 1
    ContainerConfig: config,
    VirtualSize: image.size,
    GraphDriver: {
      Name: storage,
      Data:
        upper === undefined || storage === 'vfs'
          ? null
          : { UpperDir: upper, ...(lower.length > 0 ? { LowerDir: lower.join(':') } : {}) },
    },
    RootFS: { Type: 'layers', Layers: image.diffIds },
    Metadata: { LastTagTime: image.lastTagged?.toISOString() ?? never },
    Config: config,
  }
}

export interface SummaryOptions {
  readonly containers: number
  /** Bytes of layers that other images have too; not computed when undefined. */
  readonly shared?: number | undefined
  /** The names to show; all of them when undefined. */
  readonly tags?: readonly string[] | undefined
  readonly digests?: readonly string[] | undefined
}

export function imageSummary(image: Image, options: SummaryOptions): ImageSummary {
  return {
    Id: image.id,
    ParentId: image.parent ?? '',
    RepoTags: options.tags ?? image.tags,
    RepoDigests: options.digests ?? image.digests,
    Created: Math.floor(image.created.getTime() / 1000),
    Size: image.size,
    SharedSize: options.shared ?? -1,
    Containers: options.containers,
    Labels: image.config.Labels ?? null,
  }
}
