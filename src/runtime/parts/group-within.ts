/** What /proc/PID/cgroup says on v2 → the group of that process, as far as it is a container's own or below that. Pure. */

/** "0::/tscompose/1a2b/init" and "tscompose/1a2b" → "tscompose/1a2b/init"; undefined when it stands elsewhere. */
export function groupWithin(text: string, group: string): string | undefined {
  const path = /^0::(.*)$/m.exec(text)?.[1]
  const at = path === undefined ? -1 : `${path}/`.indexOf(`/${group}/`)
  return at < 0 ? undefined : path!.slice(at + 1)
}
