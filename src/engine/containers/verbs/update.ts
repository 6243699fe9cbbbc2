/** Changes the limits and the restart policy of a container; a running one feels it at once. */
import type { ContainerUpdate } from '../../../api/container-body.ts'
import { Failure, isFailure } from '../../../lib/failure.ts'
import { changedLimits, updatedHostConfig } from '../config/host-config.ts'
import { machineOf } from '../config/machine.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'

/** What is absent, zero or empty stays as it is; `save` writes the record. */
export async function update(
  parts: Parts,
  container: Container,
  { body, save }: { readonly body: ContainerUpdate; readonly save: (container: Container) => Promise<void> },
): Promise<{ Warnings: string[] }> {
  const { hostConfig } = container.record
  const { hostConfig: next, warnings } = updated(parts, container, body)
  if (container.running) await parts.runtime.cgroups.update(container.cgroup, changedLimits(hostConfig, next))
  container.record = { ...container.record, hostConfig: next }
  await save(container)
  tell(parts, container, 'update')
  return { Warnings: warnings }
}

/** A contradiction to what was set before is told with the container's id, as Docker tells it. */
function updated(parts: Parts, { id, record }: Container, body: ContainerUpdate) {
  try {
    return updatedHostConfig(record.hostConfig, body, machineOf(parts))
  } catch (cause) {
    if (!isFailure(cause, 'conflict')) throw cause
    throw new Failure('conflict', `Cannot update container ${id}: ${cause.message}`, { cause })
  }
}
