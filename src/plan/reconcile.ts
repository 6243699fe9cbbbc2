/** Compares what a project wants with what is there and plans the difference: the plan of `up`. */
import { Failure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import type { Observed } from './observed.ts'
import type { Plan } from './plan.ts'

export interface UpOptions {
  /** Undefined: all of the project. Others are left alone, and are no orphans. */
  readonly services?: readonly string[]
  /** Only the named services, not what they depend on. */
  readonly noDeps?: boolean
  /** Service → replicas, instead of what the stack says. */
  readonly scale?: Readonly<Record<string, number>>
  /** diverged: what differs (default); always: every container (--force-recreate); never: --no-recreate. */
  readonly recreate?: 'diverged' | 'always' | 'never'
  /** The same for what the named services depend on; default: as `recreate`, but `diverged` for `always`. */
  readonly recreateDependencies?: boolean
  /** Diverged named volumes are removed and made again, with loss of what is in them. Otherwise they are kept, with a warning. */
  readonly recreateVolumes?: boolean
  readonly removeOrphans?: boolean
  /** Instead of each service's pull_policy. */
  readonly pull?: 'always' | 'missing' | 'never'
  readonly renewAnonVolumes?: boolean
  /** Seconds of grace when a container is stopped, instead of its own. */
  readonly timeout?: number
  /** Create, do not start. */
  readonly noStart?: boolean
  /** End only when every service is running and healthy. */
  readonly wait?: boolean
}

/** @throws Failure when the project cannot be brought up whatever is done: an image that would have to be built, a network of somebody else's under the same name. */
export function reconcile(_project: Project, _observed: Observed, _options: UpOptions = {}): Plan {
  throw new Failure('internal', 'Not yet written')
}
