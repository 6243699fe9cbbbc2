/** Changes the limits and the restart policy of a container; a running one feels it at once. */
import type { ContainerUpdate } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import { hostConfigSchema } from '../config/config.ts'
import { fillHostConfig } from '../config/host-config.ts'
import { limits } from '../config/spec.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'

const changeable = [
  'CpuShares',
  'Memory',
  'MemorySwap',
  'MemoryReservation',
  'NanoCpus',
  'CpuPeriod',
  'CpuQuota',
  'CpusetCpus',
  'CpusetMems',
  'PidsLimit',
  'BlkioWeight',
] as const

/** What is absent, zero or empty stays as it is; `save` writes the record. */
export async function update(
  parts: Parts,
  container: Container,
  { body, save }: { readonly body: ContainerUpdate; readonly save: (container: Container) => Promise<void> },
): Promise<{ Warnings: string[] }> {
  const { hostConfig } = container.record
  const changes: Record<string, unknown> = {}
  for (const name of changeable) if (body[name]) changes[name] = body[name]
  if (body.RestartPolicy?.Name) changes['RestartPolicy'] = body.RestartPolicy
  if (changes['RestartPolicy'] && hostConfig.AutoRemove)
    throw new Failure('conflict', 'Restart policy cannot be updated because AutoRemove is enabled for the container')
  if (changes['Memory'] && !changes['MemorySwap'] && hostConfig.MemorySwap > 0)
    changes['MemorySwap'] = Math.max(hostConfig.MemorySwap, (changes['Memory'] as number) * 2)
  const asked = { ...hostConfig, ...changes } as Parameters<typeof fillHostConfig>[0]
  const { hostConfig: next, warnings } = fillHostConfig(asked, { cpus: parts.cpus })
  if (container.running) await parts.runtime.cgroups.update(container.cgroup, changedLimits(hostConfig, next))
  container.record = { ...container.record, hostConfig: hostConfigSchema.parse(next) }
  await save(container)
  tell(parts, container, 'update')
  return { Warnings: warnings }
}

function changedLimits(before: Parameters<typeof limits>[0], after: Parameters<typeof limits>[0]) {
  const old = limits(before)
  return Object.fromEntries(
    Object.entries(limits(after)).filter(
      ([name, value]) => value !== undefined && value !== old[name as keyof typeof old],
    ),
  )
}
