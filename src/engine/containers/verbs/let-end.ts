/** What keeps a process from ending that was told to is lifted. */
import { isFailure } from '../../../lib/failure.ts'
import type { Container } from '../container.ts'
import type { Parts } from '../parts.ts'

/** A frozen process would not see a signal: v1 keeps even SIGKILL waiting. */
export async function thawed(parts: Parts, container: Container): Promise<void> {
  if (container.state.status !== 'paused') return
  await parts.runtime.cgroups.thaw(container.cgroup)
  if (container.state.status === 'paused') container.move('running')
}

/** Of one that was killed: to end takes processor time too, and with a small quota hundreds of processes would take minutes. */
export async function letEnd(parts: Parts, container: Container): Promise<void> {
  await thawed(parts, container)
  const { NanoCpus, CpuQuota } = container.record.hostConfig
  if (!NanoCpus && !CpuQuota) return
  try {
    await parts.runtime.cgroups.unthrottle(container.cgroup)
  } catch (error) {
    // it has ended, and its group has gone
    if (!isFailure(error, 'not-found')) throw error
  }
}
