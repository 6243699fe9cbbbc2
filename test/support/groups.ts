/** Where groups of an engine's stand on this machine: in each hierarchy of v1, in the one of v2, and below a scope where systemd manages that. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where each cgroup hierarchy is mounted. */
export function hierarchies(): readonly string[] {
  return mounts().map(({ at }) => at)
}

/** Whether there is v2 alone. */
export function isUnified(): boolean {
  return mounts().every(({ type }) => type === 'cgroup2')
}

/** The group of an engine in each hierarchy, whether it is there or not. */
export function engineGroups(name: string): readonly string[] {
  return hierarchies().map(mount => {
    const scope = join(mount, 'system.slice', `${name}.scope`)
    return existsSync(scope) ? join(scope, name) : join(mount, name)
  })
}

/** The folder of a container's group ("tscompose/1a2b"), on v1 in the hierarchy of a controller. */
export function groupFolder(controller: string, path: string): string {
  const [name = '', ...rest] = path.split('/')
  const own = engineGroups(name).filter(group => isUnified() || group === `/sys/fs/cgroup/${controller}/${name}`)
  return join(own[0]!, ...rest)
}

function mounts(): readonly { readonly at: string; readonly type: string }[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(line => / - cgroup2? /.test(line))
    .map(line => ({ at: line.split(' ')[4]!, type: line.split(' - ')[1]!.split(' ')[0]! }))
}
