/** Limits that are changed, and what stands in the files of v2 now → those limits with the partners that share a file with them. Pure. */
import type { Limits } from './cgroup-limits.ts'

/** As memory.max, memory.swap.max and cpu.max hold them; "" where there is no such file. */
export interface CurrentFiles {
  readonly memory: string
  readonly swap: string
  readonly cpu: string
}

/** -1 is no limit. */
const numberOf = (text: string | undefined): number => (text === undefined || text === 'max' ? -1 : Number(text))

export function withPartners(limits: Limits, files: CurrentFiles): Limits {
  return { ...limits, ...memoryAndSum(limits, files), ...quotaAndPeriod(limits, files) }
}

/** The sum of memory and swap stays when memory alone is changed, as on v1. */
function memoryAndSum({ memory, memorySwap }: Limits, files: CurrentFiles): Limits {
  if ((memory === undefined && memorySwap === undefined) || files.memory === '' || files.swap === '') return {}
  const [current, swap] = [numberOf(files.memory.trim()), numberOf(files.swap.trim())]
  const sum = current < 0 || swap < 0 ? -1 : current + swap
  return { memory: memory ?? current, memorySwap: memorySwap ?? sum }
}

function quotaAndPeriod({ cpuQuota, cpuPeriod }: Limits, files: CurrentFiles): Limits {
  if ((cpuQuota === undefined && cpuPeriod === undefined) || files.cpu === '') return {}
  const [quota, period] = files.cpu.trim().split(' ')
  return { cpuQuota: cpuQuota ?? numberOf(quota), cpuPeriod: cpuPeriod ?? Number(period) }
}
