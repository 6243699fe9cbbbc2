/** Stack files to a Project: the phases, one line each. */
import { Failure } from '../lib/failure.ts'
import type { Problem } from '../lib/problems.ts'
import type { Project } from '../model/project.ts'
import type { MapNode } from './tree.ts'

export interface LoadOptions {
  /** -f, in merge order; "-" is standard input. Undefined: COMPOSE_FILE, then the default names, upwards. */
  readonly files?: readonly string[]
  /** --project-directory. */
  readonly directory?: string
  /** -p. */
  readonly projectName?: string
  /** --profile, each; undefined: COMPOSE_PROFILES. */
  readonly profiles?: readonly string[]
  /** --env-file; undefined: COMPOSE_ENV_FILES, then .env of the project directory. */
  readonly envFiles?: readonly string[]
  /** The process's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Working directory, absolute. */
  readonly cwd: string
  /** Services named on the command line: their profiles are in force too. */
  readonly services?: readonly string[]
  /** Reads all of standard input, for `-f -`. */
  readonly stdin?: () => Promise<Uint8Array>
  /** --compatibility: no default network, no default Dockerfile. */
  readonly compatibility?: boolean
  /** All default to true; `config --no-interpolate` and so on set them to false. */
  readonly interpolate?: boolean
  readonly normalize?: boolean
  readonly resolvePaths?: boolean
  readonly consistency?: boolean
}

export interface LoadedStack {
  readonly project: Project
  /** The merged long form behind `config`; render it by config-output.ts, ask trace.ts where a value came from. */
  readonly tree: MapNode
  readonly warnings: readonly Problem[]
  /** What interpolation sees: the process's environment over .env files. */
  readonly environment: Readonly<Record<string, string>>
}

/** @throws ProblemsFailure with all problems of the first phase that found an error. */
export async function loadStack(_options: LoadOptions): Promise<LoadedStack> {
  throw new Failure('internal', 'Not yet written')
}
