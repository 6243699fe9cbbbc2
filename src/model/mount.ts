/** What is mounted into a container: a host path, a volume, memory, or an image. */
import type { Strings } from './strings.ts'

interface MountTarget {
  /** Absolute path in the container. */
  readonly target: string
  readonly readOnly: boolean
  /** Path of the entry in the stack file, for its place: ['services', 'web', 'volumes', '0']. */
  readonly path: readonly string[]
}

export type Mount = MountTarget &
  (
    | {
        readonly kind: 'bind'
        /** Absolute host path. */
        readonly source: string
        /** Short syntax creates a missing source as a folder. */
        readonly createHostPath: boolean
        readonly propagation?: string
        readonly recursive?: 'enabled' | 'disabled' | 'writable' | 'readonly'
        readonly selinux?: 'z' | 'Z'
        readonly consistency?: string
      }
    | {
        readonly kind: 'volume'
        /** The volume's key in the stack; undefined: an anonymous volume. */
        readonly source?: string
        readonly nocopy: boolean
        readonly subpath?: string
        readonly labels: Strings
      }
    | {
        readonly kind: 'tmpfs'
        /** Bytes. */
        readonly size?: number
        /** Permission bits. */
        readonly mode?: number
        /** Further options from the `tmpfs:` short form: noexec, uid=…, as written. */
        readonly options: readonly string[]
      }
    | { readonly kind: 'image'; readonly source: string; readonly subpath?: string }
    | { readonly kind: 'npipe' | 'cluster'; readonly source: string }
  )
