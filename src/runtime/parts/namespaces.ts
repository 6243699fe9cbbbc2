/** Which namespaces are new, which are joined, and what is set in the new ones. */
import { Failure } from '../../lib/failure.ts'
import type { ContainerSpec } from '../spec.ts'
import { type Step, step } from '../steps.ts'

/** CLONE_NEW*, linux/sched.h. */
export const cloneFlags = {
  mnt: 0x00020000,
  cgroup: 0x02000000,
  uts: 0x04000000,
  ipc: 0x08000000,
  pid: 0x20000000,
  net: 0x40000000,
} as const

const names = ['pid', 'ipc', 'uts', 'cgroup'] as const

/** Last of the host steps: the pid namespace to join must be chosen before the clone, the new ones are made by it. */
export function cloneSteps(spec: ContainerSpec): Step[] {
  const { namespaces } = spec
  const flags = (['pid', 'ipc', 'uts'] as const).reduce(
    (sum, name) => (namespaces[name].kind === 'new' ? sum | cloneFlags[name] : sum),
    cloneFlags.mnt as number,
  )
  const { pid } = namespaces
  return [
    ...(pid.kind === 'join'
      ? [step('join-path', { path: `/proc/${pid.pid}/ns/pid`, flags: cloneFlags.pid }, 'HostConfig.PidMode')]
      : []),
    step('clone', { flags }, 'default'),
  ]
}

/** After the cgroup is entered, since a new cgroup namespace begins where its maker stands. */
export function enterSteps(spec: ContainerSpec): Step[] {
  const { namespaces } = spec
  return [
    ...(namespaces.cgroup.kind === 'new'
      ? [step('unshare', { flags: cloneFlags.cgroup }, 'HostConfig.CgroupnsMode')]
      : []),
    ...names.flatMap(name => {
      const choice = namespaces[name]
      if (choice.kind !== 'join' || name === 'pid') return []
      return [step('join-path', { path: `/proc/${choice.pid}/ns/${name}`, flags: cloneFlags[name] }, 'HostConfig')]
    }),
    ...(spec.hostname === undefined ? [] : [step('hostname', { name: spec.hostname }, 'Hostname')]),
    ...(spec.domainname === undefined ? [] : [step('domainname', { name: spec.domainname }, 'Domainname')]),
    ...sysctlSteps(spec.sysctls),
  ]
}

/** Names with dots only, each part a plain word: `net.ipv4.../../kernel.core_pattern` is none (ESCAPES B3). */
export function sysctlPath(name: string): string {
  if (!/^[a-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/.test(name))
    throw new Failure('invalid', `Cannot set sysctl "${name}": it is not a name of one`)
  return `/proc/sys/${name.replaceAll('.', '/')}`
}

/** By the host's own procfs, which shows the namespaces of whoever asks; the container's is not there yet. */
function sysctlSteps(sysctls: Readonly<Record<string, string>>): Step[] {
  return Object.entries(sysctls)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => step('write', { path: sysctlPath(name), value }, 'HostConfig.Sysctls'))
}
