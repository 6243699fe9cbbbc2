/** Limits and ulimits of a finished service. */
import { type Blkio, type Limits, limitNames, limitRow, type Ulimit } from '../model/limits.ts'
import type { View } from './view.ts'

export function toLimits(view: View): Limits {
  const resources = view.at('deploy').at('resources')
  const single = limitNames.map(name => {
    const { key, deploy, as } = limitRow(name)
    const inDeploy = deploy && value(resources.at(deploy[0]), deploy[1], as)
    return [name, inDeploy ?? value(view, key, as)]
  })
  return {
    ...Object.fromEntries(single),
    oomKillDisable: view.bool('oom_kill_disable') ?? false,
    blkio: view.has('blkio_config') ? toBlkio(view.at('blkio_config')) : undefined,
  }
}

function value(view: View, key: string, as: 'amount' | 'number' | 'text'): number | string | undefined {
  if (as === 'text') return view.text(key)
  return as === 'amount' ? view.positive(key) : view.number(key)
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
