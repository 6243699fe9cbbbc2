/** Limits and ulimits of a finished service. */
import type { Blkio, Limits, Ulimit } from '../model/limits.ts'
import type { View } from './view.ts'

export function toLimits(view: View): Limits {
  const limits = view.at('deploy').at('resources').at('limits')
  const reservations = view.at('deploy').at('resources').at('reservations')
  return {
    memory: limits.positive('memory') ?? view.positive('mem_limit'),
    memoryReservation: reservations.positive('memory') ?? view.positive('mem_reservation'),
    memorySwap: view.positive('memswap_limit'),
    memorySwappiness: view.number('mem_swappiness'),
    oomKillDisable: view.bool('oom_kill_disable') ?? false,
    oomScoreAdj: view.number('oom_score_adj'),
    cpus: limits.positive('cpus') ?? view.positive('cpus'),
    cpuCount: view.positive('cpu_count'),
    cpuPercent: view.positive('cpu_percent'),
    cpuShares: view.positive('cpu_shares'),
    cpuQuota: view.positive('cpu_quota'),
    cpuPeriod: view.positive('cpu_period'),
    cpuRtRuntime: view.positive('cpu_rt_runtime'),
    cpuRtPeriod: view.positive('cpu_rt_period'),
    cpuset: view.text('cpuset'),
    pids: limits.positive('pids') ?? view.positive('pids_limit'),
    blkio: view.has('blkio_config') ? toBlkio(view.at('blkio_config')) : undefined,
  }
}

function toBlkio(view: View): Blkio {
  const rates = (key: string) =>
    view.views(key).map(entry => ({ path: entry.text('path') ?? '', rate: entry.number('rate') ?? 0 }))
  return {
    weight: view.number('weight'),
    weightDevice: view
      .views('weight_device')
      .map(entry => ({ path: entry.text('path') ?? '', weight: entry.number('weight') ?? 0 })),
    deviceReadBps: rates('device_read_bps'),
    deviceReadIops: rates('device_read_iops'),
    deviceWriteBps: rates('device_write_bps'),
    deviceWriteIops: rates('device_write_iops'),
  }
}

export function toUlimits(view: View): readonly Ulimit[] {
  return view.members().map(([name, limit]) => {
    const both = limit.node?.kind === 'scalar' && typeof limit.node.value === 'number' ? limit.node.value : undefined
    return { name, soft: both ?? limit.number('soft') ?? 0, hard: both ?? limit.number('hard') ?? 0 }
  })
}
