/** What is there of a stack in a cluster, and what the cluster says of what is wanted. */
import type { Change } from '../../plan/change.ts'
import type { Home } from './labels.ts'
import type { Listed, Live, LivePod } from './live.ts'
import type { Kind } from './manifest.ts'
import type { Refusal, Wanted } from './objects/given-input.ts'

export interface ObservedCluster {
  readonly home: Home
  /** Of the stack, by "Kind name". */
  readonly objects: ReadonlyMap<string, Live>
  /** The same by kind, as it was listed. */
  readonly listed: ReadonlyMap<Kind | 'Pod', Listed>
  /** Of the stack; empty for a plan. */
  readonly pods: readonly LivePod[]
  /** Of a plan. */
  readonly asked?: Asked
}

/** What was wanted, and what the server has said to it without doing it. */
export interface Asked {
  /** The parent of all first. */
  readonly wanted: readonly Wanted[]
  readonly verdicts: ReadonlyMap<string, Verdict>
  /** Keys of all that the stack is, also of services that are not asked for. */
  readonly belongs: ReadonlySet<string>
  readonly refusals: readonly { readonly path: readonly string[]; readonly refusal: Refusal }[]
  /** sha256 of files of this machine, by path. */
  readonly hashes: ReadonlyMap<string, string>
  /** Of images that are pinned, by their names. */
  readonly digests: ReadonlyMap<string, string>
  readonly notices: readonly { readonly path: readonly string[]; readonly message: string }[]
}

export type Verdict =
  /** `lost`: what the server would not keep of it. */
  | { readonly kind: 'new' | 'same'; readonly lost?: readonly string[] }
  | { readonly kind: 'changed'; readonly changes: readonly Change[]; readonly lost?: readonly string[] }
  /** It cannot be changed as it stands. */
  | { readonly kind: 'replaced'; readonly changes: readonly Change[]; readonly why: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
