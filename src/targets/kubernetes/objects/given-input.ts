/** What objects are made from: the stack, where it goes, and what was seen of this machine's files. */
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { Home } from '../labels.ts'
import type { Manifest } from '../manifest.ts'

/** What is behind a path of this machine: bytes by their place below it, '' for a file itself. */
export type SeenFile =
  | { readonly kind: 'file' | 'folder'; readonly contents: ReadonlyMap<string, Uint8Array> }
  /** Not to be had as an object: "there is no such file". */
  | { readonly kind: 'none'; readonly why: string }

export interface Refusal {
  readonly code: string
  readonly message: string
  readonly hint: string
}

export interface Input {
  readonly project: Project
  readonly home: Home
  /** Those that are to be there, what is needed before what needs it. */
  readonly services: readonly Service[]
  readonly scale: Readonly<Record<string, number>>
  /** By service, with a digest where it is known. */
  readonly images: ReadonlyMap<string, string>
  /** By absolute path. */
  readonly files: ReadonlyMap<string, SeenFile>
  /** Something that no cluster can do, at its place in the stack. */
  readonly refuse: (path: readonly string[], refusal: Refusal) => void
  /** Something that becomes another thing there. */
  readonly notice: (path: readonly string[], message: string) => void
}

/** One of the objects of a stack. */
export interface Wanted {
  readonly manifest: Manifest
  /** Whose it is; undefined for what several may use. */
  readonly service?: string
  /** Where in the stack it comes from. */
  readonly path: readonly string[]
}

export function replicasOf({ scale }: Input, service: Service): number {
  return scale[service.name] ?? service.replicas
}
