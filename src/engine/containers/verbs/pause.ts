/** Freezes a container's cgroup, and thaws it. */
import { Failure } from '../../../lib/failure.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'

export async function pause(parts: Parts, container: Container): Promise<void> {
  if (container.state.status === 'paused') throw new Failure('conflict', `Container ${container.id} is already paused`)
  if (container.state.status !== 'running') throw new Failure('conflict', `container ${container.id} is not running`)
  await parts.runtime.cgroups.freeze(container.cgroup)
  // it may have ended meanwhile
  if (container.state.status !== 'running') return
  container.move('paused')
  await container.save()
  tell(parts, container, 'pause')
}

export async function unpause(parts: Parts, container: Container): Promise<void> {
  // 500 in Docker's own words, which its clients show as they are
  if (container.state.status !== 'paused') throw new Failure('internal', `Container ${container.id} is not paused`)
  await parts.runtime.cgroups.thaw(container.cgroup)
  if (container.state.status !== 'paused') return
  container.move('running')
  await container.save()
  tell(parts, container, 'unpause')
}
