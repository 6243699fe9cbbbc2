/** What the engine and the threads that unpack and sum say to each other, one job a thread at a time. */
import type { FailureKind } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import type { Digest } from './digest.ts'
import type { SumJob } from './sum.ts'
import type { Unpacked } from './unpack.ts'
import type { ArchiveLimits } from './unpack-limits.ts'

export interface UnpackJob {
  /** An empty folder that nobody else knows. */
  readonly root: HostPath
  readonly limits: ArchiveLimits
  /** Where the bytes are to be kept as they come. */
  readonly keep?: HostPath | undefined
}

/** Of the bytes as they came. */
export interface BlobTold {
  readonly digest: Digest
  readonly size: number
}

export interface UnpackResult extends Unpacked {
  readonly diffId: Digest
  readonly blob: BlobTold
}

export interface UnpackFailure {
  readonly kind: FailureKind
  readonly message: string
  readonly hint?: string | undefined
  /** When all has been read: whether they were the right bytes at all. */
  readonly blob?: BlobTold | undefined
}

export type ToThread =
  | { readonly kind: 'job'; readonly job: UnpackJob }
  | { readonly kind: 'chunk'; readonly data: Uint8Array }
  | { readonly kind: 'end' }
  /** No more will come: whoever sends has failed, or wants no sum any more. */
  | { readonly kind: 'abort' }
  | { readonly kind: 'sum'; readonly job: SumJob }

export type FromThread =
  /** Bytes that are done with: as many may be sent again. */
  | { readonly kind: 'taken'; readonly bytes: number }
  | { readonly kind: 'done'; readonly result: UnpackResult }
  | { readonly kind: 'summed'; readonly digest: Digest }
  | { readonly kind: 'failed'; readonly failure: UnpackFailure }
