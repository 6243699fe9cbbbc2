/** What a stack is once nothing is left to interpret: every name resolved, every default applied, every unit a number. */
import type { Place } from '../lib/problems.ts'
import type { FileObject } from './file-object.ts'
import type { Network } from './network.ts'
import type { Service } from './service.ts'
import type { Volume } from './volume.ts'

/** Records by a name the author chose have no prototype, so that a service may be called `constructor`. */
export interface Project {
  readonly name: string
  /** Between the parts of the names of containers and built images; `_` as Compose 1 made them, with --compatibility. */
  readonly separator: '-' | '_'
  /** Absolute; relative paths in the files were resolved against it. */
  readonly directory: string
  /** The stack files that were read by -f, COMPOSE_FILE or found, absolute, in merge order; "-" is standard input. */
  readonly files: readonly string[]
  /** The services that are to run. */
  readonly services: Readonly<Record<string, Service>>
  /** Those left out by profiles or because other services were named; never reconciled, but not orphans either. */
  readonly disabledServices: Readonly<Record<string, Service>>
  /** Only what some enabled service uses. */
  readonly networks: Readonly<Record<string, Network>>
  readonly volumes: Readonly<Record<string, Volume>>
  readonly configs: Readonly<Record<string, FileObject>>
  readonly secrets: Readonly<Record<string, FileObject>>
  /** Services whose image a lock file has pinned. */
  readonly locked?: ReadonlySet<string>
  /** `x-registry`: where images that are built go, for targets whose nodes pull. */
  readonly registry?: string
  /** Profiles in force, sorted. */
  readonly profiles: readonly string[]
  /**
   * Where a field stands, by its path in the stack file's own (snake_case) names:
   * `place(['services', 'web', 'ports', '0'])`. The nearest parent that has a place when the field itself has none.
   */
  place(path: readonly string[]): Place | undefined
  /** Every path of at most `depth` keys that has a place of its own, parents first. */
  places(depth: number): Iterable<readonly [path: readonly string[], place: Place]>
}
