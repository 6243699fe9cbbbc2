/** The seam to containers: one command of a build on a stack of layers. The engine hands in who runs it. */
import type { Limits } from '../../runtime/parts/cgroup-limits.ts'
import type { HostPath, MountSpec, RlimitSpec } from '../../runtime/spec.ts'
import type { Image } from '../images/image.ts'

export type Kept = 'ended' | 'failed'

export interface BuildCommand {
  /** Lowest first. */
  readonly layers: readonly HostPath[]
  /** Takes what it writes, as overlay keeps it; made by the caller with the root folder's owner and mode. */
  readonly upper: HostPath
  readonly work: HostPath
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  /** By name or number, as USER has it. */
  readonly user: string
  readonly mounts: readonly MountSpec[]
  readonly network: 'default' | 'none' | 'host' | (string & {})
  /** Every capability and device: `--security=insecure`. */
  readonly privileged: boolean
  readonly hosts: readonly { readonly host: string; readonly address: string }[]
  readonly shmSize: number | undefined
  readonly ulimits: readonly RlimitSpec[]
  readonly limits: Limits
  readonly cgroupParent: string | undefined
  /** Told the id of the container that it runs in. */
  readonly onContainer: (id: string) => void
  /** It stays as a container, when it has ended or has failed; `image`: of what it ran on. */
  readonly keep: { readonly when: Kept; image(): Promise<Image> } | undefined
  readonly onOutput: (stream: 'stdout' | 'stderr', data: Uint8Array) => void
  readonly signal: AbortSignal
}

/**
 * Resolves with the exit code when it has ended and all output has been told.
 * @throws Failure for a user that is not known, a program that is not there (exit code 127), or what the kernel refused.
 */
export type RunCommand = (command: BuildCommand) => Promise<number>
