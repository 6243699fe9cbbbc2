/** What is written into a container's control groups, in sentences. */
import { basename, dirname } from 'node:path/posix'
import { formatBytes } from '../../lib/units.ts'
import { alone, type Part } from './steps.ts'

type Words = (value: string) => string

const size = (value: string): string => (/^\d+$/.test(value) ? formatBytes(Number(value)) : value)
const limited =
  (what: string, is = 'is'): Words =>
  value =>
    value === 'max' || value === '-1' ? `${what} ${is} not limited` : `${what} ${is} limited to ${size(value)}`

/** By the name of the file, on v1 and v2. */
const files: Readonly<Record<string, Words>> = {
  'memory.limit_in_bytes': limited('Memory'),
  'memory.max': limited('Memory'),
  'memory.memsw.limit_in_bytes': limited('Memory and swap together', 'are'),
  'memory.swap.max': limited('Swap'),
  'memory.soft_limit_in_bytes': value => `Memory up to ${size(value)} is taken last when the machine runs short`,
  'memory.low': value => `Memory up to ${size(value)} is taken last when the machine runs short`,
  'memory.swappiness': value => `Swappiness is ${value} of 100`,
  'memory.oom_control': value =>
    value === '1' ? 'Out of memory it waits, and nothing of it is killed' : 'Out of memory the kernel kills in it',
  'cpu.shares': value => `Its share of busy processors is ${value}, where others have 1024`,
  'cpu.weight': value => `Its share of busy processors is ${value}, where others have 100`,
  'cpu.cfs_period_us': value => `Processor time is counted in periods of ${Number(value) / 1000} ms`,
  'cpu.cfs_quota_us': value =>
    value === '-1'
      ? 'Processor time is not limited'
      : `Processor time is limited to ${Number(value) / 1000} ms in each period`,
  'cpu.max': value => {
    const [quota, period] = value.split(' ')
    if (quota === 'max') return 'Processor time is not limited'
    return `Processor time is limited to ${Number(quota) / Number(period)} of a processor`
  },
  'cpuset.cpus': value => `It runs on processors ${value} alone`,
  'cpuset.mems': value => `Its memory is that of nodes ${value} alone`,
  'pids.max': value => (value === 'max' ? 'Processes are not limited' : `At most ${value} processes and threads`),
}

/** The sentence of a value in a file of a group. */
export function cgroupWrite(path: string, value: string): Part {
  const file = basename(path)
  const rule = /^devices\.(allow|deny)$/.exec(file)?.[1]
  if (rule === 'deny')
    return alone(
      'isolation',
      value === 'a' ? 'All devices are forbidden but those that follow' : `Device ${value} is forbidden`,
    )
  if (rule)
    return {
      about: 'isolation',
      key: 'devices.allow',
      item: value,
      words: items => `May use devices ${items.join(', ')}`,
    }
  return alone('limits', files[file]?.(value) ?? `${file} of its group is ${value}`)
}

/** "memory" of /sys/fs/cgroup/memory/tscompose/x; the whole hierarchy where there is but one. */
export function controllerOf(path: string): string {
  return (
    /^\/sys\/fs\/cgroup\/([^/]+)\/[^/]+\//.exec(
      `${path.endsWith('/tasks') || path.endsWith('/cgroup.procs') ? dirname(path) : path}/`,
    )?.[1] ?? path
  )
}
