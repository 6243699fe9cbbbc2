/** The limits of a service as members of a container's HostConfig, one row each. */
import type { HostConfig } from '../../../api/container-body.ts'
import type { LimitName, Limits } from '../../../model/limits.ts'

export interface LimitMember {
  readonly member: keyof HostConfig
  /** What its number counts, and so how a stack file writes it: `cpus` are parts of a processor, which the member has as billionths. */
  readonly as: 'bytes' | 'cpus' | 'as it is'
}

const row = (member: keyof HostConfig, as: LimitMember['as'] = 'as it is'): LimitMember => ({ member, as })

export const limitMembers: { readonly [K in LimitName]: LimitMember } = {
  memory: row('Memory', 'bytes'),
  memoryReservation: row('MemoryReservation', 'bytes'),
  memorySwap: row('MemorySwap', 'bytes'),
  memorySwappiness: row('MemorySwappiness'),
  oomScoreAdj: row('OomScoreAdj'),
  cpus: row('NanoCpus', 'cpus'),
  cpuCount: row('CpuCount'),
  cpuPercent: row('CpuPercent'),
  cpuShares: row('CpuShares'),
  cpuQuota: row('CpuQuota'),
  cpuPeriod: row('CpuPeriod'),
  cpuRtRuntime: row('CpuRealtimeRuntime'),
  cpuRtPeriod: row('CpuRealtimePeriod'),
  cpuset: row('CpusetCpus'),
  pids: row('PidsLimit'),
}

/** The member of a limit, and what it is given; undefined where the service sets none. */
export function limitMember(limits: Limits, name: LimitName): readonly [keyof HostConfig, number | string | undefined] {
  const { member, as } = limitMembers[name]
  const value = limits[name]
  return [member, as === 'cpus' && value !== undefined ? Math.round(Number(value) * 1e9) : value]
}
