/** What /proc/PID/cgroup says on v2 → the group of that process, as far as it is a container's own or below that. Pure. */

import type { CgroupFacts } from '../host.ts'

/** "0::/tscompose/1a2b/init" and "tscompose/1a2b" → "tscompose/1a2b/init"; undefined when it stands elsewhere. */
export function groupWithin(text: string, group: string): string | undefined {
  const path = /^0::(.*)$/m.exec(text)?.[1]
  const at = path === undefined ? -1 : `${path}/`.indexOf(`/${group}/`)
  return at < 0 ? undefined : path!.slice(at + 1)
}

/** What /proc/PID/cgroup says of a process in this group; anything, where there are no groups: then a number alone tells who is meant. */
export function standsIn({ none }: Pick<CgroupFacts, 'none'>, group: string): string {
  return none === undefined ? `/${group}` : ''
}
