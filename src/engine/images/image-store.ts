/** What the ways into the store (pull, load, import) are handed and asked. */
import type { Events } from '../base/events.ts'
import type { Paths } from '../base/paths.ts'
import type { RegistryAuth } from './auth.ts'
import type { Blobs } from './blobs.ts'
import type { Catalogue } from './catalogue.ts'
import type { Layers } from './layers.ts'
import type { OnProgress } from './progress.ts'
import type { RegistrySettings } from './registry/settings.ts'

/** The parts of the store that they share. */
export interface ImageStore {
  readonly paths: Paths
  readonly blobs: Blobs
  readonly layers: Layers
  readonly catalogue: Catalogue
  readonly events: Events
  readonly registries: RegistrySettings
}

export interface PullOptions {
  readonly auth?: RegistryAuth | undefined
  /** "linux/arm64/v8"; this machine's when undefined. */
  readonly platform?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface PushOptions {
  readonly auth?: RegistryAuth | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface ImportOptions extends LoadOptions {
  /** The name it gets, when there is one. */
  readonly repo?: string | undefined
  readonly tag?: string | undefined
  readonly message?: string | undefined
  readonly platform?: string | undefined
  /** Dockerfile instructions: `CMD ["sh"]`, `ENV A=b`. */
  readonly changes?: readonly string[] | undefined
}
