/** The Runtime on the Linux kernel: specs to programs, programs to monitors. */
import type { Runtime } from './runtime.ts'

export interface RuntimeOptions {
  /** Where sandboxes are kept (made as iproute2 makes it, on first use). Default /run/netns. */
  readonly netns?: string
  /** The group above all containers' in each cgroup hierarchy. Default "tscompose". */
  readonly cgroupParent?: string
}

/** A Runtime on this machine. @throws Failure `unavailable` when the monitor is not built or a library is missing. */
export async function createRuntime(_options: RuntimeOptions = {}): Promise<Runtime> {
  throw new Error('not yet')
}
