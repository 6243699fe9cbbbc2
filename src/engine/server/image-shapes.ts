/** An image to Docker's JSON: inspect and list. */
import type { ImageInspect, ImageSummary } from '../../api/images.ts'
import type { HostPath } from '../../runtime/spec.ts'
import type { StorageDriver } from '../base/storage-driver.ts'
import type { Image, ImageConfig } from '../images/image.ts'

const never = '0001-01-01T00:00:00Z'

/** `layers`: its unpacked folders, lowest first. */
export function imageInspect(
  image: Image,
  { layers, storage }: { readonly layers: readonly HostPath[]; readonly storage: StorageDriver },
): ImageInspect {
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
    GraphDriver: {
      Name: storage,
      Data:
        upper === undefined || storage === 'vfs'
          ? null
          : { UpperDir: upper, ...(lower.length > 0 ? { LowerDir: lower.join(':') } : {}) },
    },
    RootFS: { Type: 'layers', Layers: image.diffIds },
    Metadata: { LastTagTime: image.lastTagged?.toISOString() ?? never },
    Config: shownConfig(image.config),
  }
}

/** Those that a container made of it gets; what else a commit kept of its container is not shown. */
const shown = [
  ...['ArgsEscaped', 'Cmd', 'Entrypoint', 'Env', 'ExposedPorts', 'Healthcheck', 'Labels', 'OnBuild', 'Shell'],
  ...['StopSignal', 'User', 'Volumes', 'WorkingDir'],
]
const unset = { Cmd: null, Entrypoint: null, Env: null, Labels: null, OnBuild: null, Volumes: null }

function shownConfig(config: ImageConfig): ImageInspect['Config'] {
  const set = Object.entries(config).filter(([key]) => shown.includes(key))
  return { ...unset, User: '', WorkingDir: '', ...Object.fromEntries(set) } as ImageInspect['Config']
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
