/** What a container wrote on top of its image, with a configuration of its own, to a new image. */
import { Readable } from 'node:stream'
import { createZstdCompress } from 'node:zlib'
import { parseChanges } from './changes.ts'
import type { Image, ImageConfig } from './image.ts'
import type { ImageStore } from './image-store.ts'
import { newImage } from './new-image.ts'
import { newName } from './reference.ts'

export interface CommitOptions {
  readonly parent: Image
  /** The container's id. */
  readonly container: string
  /** What the container had; the image gets of it what `config` and `changes` leave open. */
  readonly containerConfig: ImageConfig
  /** What the caller asked for instead. */
  readonly config?: ImageConfig | undefined
  /** Dockerfile instructions. */
  readonly changes: readonly string[]
  readonly author: string
  readonly comment: string
  readonly repo: string | undefined
  readonly tag: string | undefined
  readonly layer: AsyncIterable<Uint8Array>
}

export interface Committed {
  readonly image: Image
  /** Its name; empty when it got none. */
  readonly name: string
}

export async function commit(store: ImageStore, options: CommitOptions): Promise<Committed> {
  const { parent, containerConfig, author, comment } = options
  const name = newName(options.repo, options.tag)
  const asked = parseChanges(options.changes, options.config ?? containerConfig)
  const config = mergeConfig(asked, containerConfig)
  const { os, architecture, variant } = parent
  const image = await newImage(store, {
    parent,
    layer: Readable.from(options.layer, { objectMode: false }).compose(createZstdCompress()),
    platform: { os, architecture, variant },
    config,
    history: { author, created_by: (containerConfig.Cmd ?? []).join(' '), comment },
    document: { container: options.container, container_config: containerConfig },
    tags: name === undefined ? [] : [name],
  })
  store.events.emit('image', 'create', image.id, { ...config.Labels, name: image.id })
  if (name !== undefined) store.events.emit('image', 'tag', image.id, { ...config.Labels, name })
  return { image, name: name ?? '' }
}

/** What the image is asked to have comes first; the rest is the container's. Pure. */
export function mergeConfig(asked: ImageConfig, had: ImageConfig): ImageConfig {
  const keys = new Set((asked.Env ?? []).map(keyOf))
  const healthcheck = asked.Healthcheck
    ? { ...had.Healthcheck, ...withoutZero(asked.Healthcheck) }
    : (had.Healthcheck ?? undefined)
  const bare = !asked.Entrypoint?.length
  return {
    ...asked,
    User: asked.User || had.User,
    ExposedPorts: union(asked.ExposedPorts, had.ExposedPorts),
    Env: [...(asked.Env ?? []), ...(had.Env ?? []).filter(each => !keys.has(keyOf(each)))],
    Labels: union(asked.Labels, had.Labels),
    Entrypoint: bare ? (asked.Entrypoint ?? had.Entrypoint) : asked.Entrypoint,
    Cmd: bare && !asked.Cmd?.length ? had.Cmd : asked.Cmd,
    ...(healthcheck && { Healthcheck: healthcheck }),
    WorkingDir: asked.WorkingDir || had.WorkingDir,
    Volumes: union(asked.Volumes, had.Volumes),
    ...((asked.StopSignal || had.StopSignal) && { StopSignal: asked.StopSignal || had.StopSignal }),
  }
}

function union<T>(asked: Record<string, T> | null | undefined, had: Record<string, T> | null | undefined) {
  return asked || had ? { ...had, ...asked } : undefined
}

function keyOf(entry: string): string {
  return entry.split('=')[0]!
}

function withoutZero(check: NonNullable<ImageConfig['Healthcheck']>): typeof check {
  const set = ([, value]: [string, unknown]) => value !== 0 && value !== null && value !== undefined
  return Object.fromEntries(Object.entries(check).filter(set))
}
