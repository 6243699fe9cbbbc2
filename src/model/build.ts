/** How a service's image is made from a Dockerfile. */
import type { FileReference } from './file-object.ts'
import type { Ulimit } from './limits.ts'
import type { Strings } from './strings.ts'

export interface Build {
  /** An absolute folder, or a remote context as it was written. */
  readonly context: string
  readonly dockerfile?: string
  readonly dockerfileInline?: string
  readonly args: Readonly<Record<string, string | null>>
  readonly additionalContexts: Strings
  readonly labels: Strings
  readonly target?: string
  readonly tags: readonly string[]
  readonly platforms: readonly string[]
  readonly cacheFrom: readonly string[]
  readonly cacheTo: readonly string[]
  readonly noCache: boolean
  readonly noCacheFilter: readonly string[]
  readonly pull: boolean
  readonly network?: string
  readonly extraHosts: readonly { readonly host: string; readonly address: string }[]
  readonly shmSize?: number
  readonly isolation?: string
  readonly privileged: boolean
  readonly secrets: readonly FileReference[]
  readonly ssh: readonly { readonly id: string; readonly path?: string }[]
  readonly ulimits: readonly Ulimit[]
  readonly entitlements: readonly string[]
  readonly provenance?: string
  readonly sbom?: string
}
