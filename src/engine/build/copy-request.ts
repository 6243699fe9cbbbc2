/** The seam between a step and the files it brings: what COPY and ADD are told once their step is known. */
import type { HostPath } from '../../runtime/spec.ts'
import type { ArchiveLimits } from '../images/unpack-limits.ts'
import type { AddStep, CopyStep } from './dockerfile/plan.ts'

/** A tree to read from: unpacked layers, lowest first; a context is one folder. */
export interface FilesSource {
  readonly layers: readonly HostPath[]
  /** Patterns of a .dockerignore, for a context. */
  readonly exclude: readonly string[]
}

/** What was fetched for a source of ADD, in the order of the step's sources; undefined where it is a path. */
export interface Fetched {
  readonly path: HostPath
  /** The name it gets in a folder. */
  readonly name: string
  readonly digest: string
}

export interface CopyRequest {
  readonly step: CopyStep | AddStep
  readonly source: FilesSource
  readonly fetched: readonly (Fetched | undefined)[]
  /** What it is copied onto, lowest first. */
  readonly below: readonly HostPath[]
  /** Takes what is written, as overlay keeps it. */
  readonly upper: HostPath
  /** Of each archive that is unpacked; archives are not to be trusted. */
  readonly limits?: Partial<ArchiveLimits> | undefined
  readonly signal: AbortSignal
}

/** What the copied files are, whatever their times: for the cache key, and to tell which of them changed. */
export interface FilesDigest {
  /** sha256 over all of it. */
  readonly digest: string
  /** Path of the source → its digest; at most some thousands, undefined when there are more. */
  readonly entries: ReadonlyMap<string, string> | undefined
}
