/** What an engine without root rights cannot do on this machine, a sentence each: told when it starts, and by `info`. */
import { readFileSync } from 'node:fs'
import type { LimitName } from '../runtime/parts/cgroup-limits.ts'
import type { Cgroups } from '../runtime/runtime.ts'

/** Each with the limits that stand for its controller. */
const controllers: readonly (readonly [string, LimitName])[] = [
  ['memory', 'memory'],
  ['cpu', 'cpuQuota'],
  ['cpuset', 'cpusetCpus'],
  ['io', 'readBps'],
  ['pids', 'pids'],
]

export interface Without {
  readonly cgroups: Pick<Cgroups, 'none' | 'lacking'>
  /** /proc/net/route and /proc/net/ipv6_route of the engine's network namespace. */
  readonly routes: readonly [string, string]
  readonly storage: 'overlay2' | 'vfs'
}

export function lackedWithoutRoot({ cgroups, routes: [four, six], storage }: Without): readonly string[] {
  const { none } = cgroups
  const lacked = controllers.filter(([, limit]) => cgroups.lacking(limit) !== undefined).map(([name]) => name)
  const leadsOut = /^\S+\t0{8}\t(?!0{8})/m.test(four) || /^0{32} 00 .* (?!lo$)\S+$/m.test(six)
  return [
    ...(none === undefined
      ? []
      : [`No limit is in force, nothing can be paused, and stats show no use of memory or processors: ${none}`]),
    ...(none === undefined && lacked.length > 0
      ? [`Limits of ${lacked.join(', ')} are not in force: this user was not given these cgroup controllers`]
      : []),
    ...(leadsOut ? [] : ['Containers reach nothing outside: the network of this engine has no way out']),
    ...(storage === 'vfs'
      ? ['Each container has a whole copy of its image: overlay is refused in a user namespace here']
      : []),
  ]
}

/** Of the network namespace that this process is in. */
export function ownRoutes(): [string, string] {
  return [readFileSync('/proc/self/net/route', 'utf8'), readIfThere('/proc/self/net/ipv6_route')]
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // a kernel without IPv6
    return ''
  }
}
