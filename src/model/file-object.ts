/** Configs and secrets: where the bytes come from, and where a service wants them. */
import type { Strings } from './strings.ts'

export interface FileObject {
  /** The key in the stack. */
  readonly key: string
  readonly name: string
  readonly source: FileSource
  readonly labels: Strings
  /** Its content is a template, which a swarm fills in for each task. */
  readonly templateDriver?: string
}

export type FileSource =
  /** Absolute host path. */
  | { readonly kind: 'file'; readonly file: string }
  /** `value` is undefined when the variable is not set, which is an error only for a service that runs. */
  | { readonly kind: 'environment'; readonly variable: string; readonly value: string | undefined }
  | { readonly kind: 'content'; readonly content: string }
  | { readonly kind: 'external' }
  | { readonly kind: 'driver'; readonly driver: string; readonly driverOpts: Strings }

export interface FileReference {
  /** Key in `configs` or `secrets` of the project. */
  readonly source: string
  /** Absolute path in the container; a secret's default is /run/secrets/<source>, a config's /<source>. In `build`, the id. */
  readonly target: string
  /** As written; undefined: the default of the engine (0). */
  readonly uid?: string
  readonly gid?: string
  /** Permission bits. */
  readonly mode?: number
  /** Path of the entry in the stack file, for its place: ['services', 'web', 'secrets', '0']. */
  readonly path: readonly string[]
}
