/** The image store: tags and ids to images, and the unpacked layers a container's root is made of. */
import type { Readable } from 'node:stream'
import type { HostPath } from '../../runtime/spec.ts'
import type { Events } from '../base/events.ts'
import type { Paths } from '../base/paths.ts'
import type { RegistryAuth } from './auth.ts'
import type { Image } from './image.ts'
import type { OnProgress } from './progress.ts'

export interface PullOptions {
  readonly auth?: RegistryAuth | undefined
  /** "linux/arm64/v8"; this machine's when undefined. */
  readonly platform?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface ImportOptions extends LoadOptions {
  readonly reference?: string | undefined
  readonly message?: string | undefined
  readonly platform?: string | undefined
  /** Dockerfile instructions: `CMD ["sh"]`, `ENV A=b`. */
  readonly changes?: readonly string[] | undefined
}

/** A container that uses an image; `running` counts paused and restarting too. */
export interface ImageUser {
  readonly id: string
  readonly name: string
  readonly running: boolean
}

export interface RemoveOptions {
  readonly force?: boolean
  readonly noprune?: boolean
  readonly usedBy: (imageId: string) => readonly ImageUser[]
}

export type RemovedImage = { readonly Untagged: string } | { readonly Deleted: string }

export class Images {
  static async open(_paths: Paths, _events: Events): Promise<Images> {
    throw new Error('stub')
  }
  get(_reference: string): Image {
    throw new Error('stub')
  }
  find(_reference: string): Image | undefined {
    throw new Error('stub')
  }
  list(): readonly Image[] {
    throw new Error('stub')
  }
  pull(_reference: string, _options: PullOptions = {}): Promise<Image> {
    throw new Error('stub')
  }
  load(_stream: Readable, _options: LoadOptions = {}): Promise<string[]> {
    throw new Error('stub')
  }
  importRoot(_stream: Readable, _options: ImportOptions = {}): Promise<Image> {
    throw new Error('stub')
  }
  tag(_reference: string, _repoTag: string): Promise<void> {
    throw new Error('stub')
  }
  remove(_reference: string, _options: RemoveOptions): Promise<RemovedImage[]> {
    throw new Error('stub')
  }
  /** Unpacked folders, lowest first, ready for RootSpec.layers. */
  layers(_image: Image): readonly HostPath[] {
    throw new Error('stub')
  }
}
