/** Which namespaces are new, which are joined, and what is set in the new ones. */
import { Failure } from '../../lib/failure.ts'
import type { CgroupFacts } from '../host.ts'
import type { ContainerSpec, NamespaceChoice } from '../spec.ts'
import { type Step, step } from '../steps.ts'
import { standsIn } from './group-within.ts'

/** CLONE_NEW*, linux/sched.h. */
export const cloneFlags = {
  user: 0x10000000,
  mnt: 0x00020000,
  cgroup: 0x02000000,
  uts: 0x04000000,
  ipc: 0x08000000,
  pid: 0x20000000,
  net: 0x40000000,
} as const

/** First of the host steps that look at others: what is joined must be chosen before the clone, and each look is at one process. */
export function joinSteps({ namespaces }: ContainerSpec, facts: CgroupFacts): Step[] {
  const { pid, ipc } = namespaces
  return [
    ...(pid.kind === 'join'
      ? [targetStep(pid, facts, 'HostConfig.PidMode'), step('join', { flags: cloneFlags.pid }, 'HostConfig.PidMode')]
      : []),
    ...(ipc.kind === 'join' ? [targetStep(ipc, facts, 'HostConfig.IpcMode')] : []),
  ]
}

function targetStep(
  { pid, cgroupPath }: Extract<NamespaceChoice, { kind: 'join' }>,
  facts: CgroupFacts,
  cause: string,
): Step {
  return step('target', { pid, cgroup: standsIn(facts, cgroupPath) }, cause)
}

/** Last of the host steps: new namespaces are made with the child, or by it when they are to belong to a user namespace. */
export function cloneStep({ namespaces: { user, pid, ipc, uts } }: ContainerSpec): Step {
  if (user.kind !== 'host') return step('clone', { flags: cloneFlags.mnt }, 'default')
  const flags =
    cloneFlags.mnt |
    (pid.kind === 'new' ? cloneFlags.pid : 0) |
    (ipc.kind === 'new' ? cloneFlags.ipc : 0) |
    (uts === 'new' ? cloneFlags.uts : 0)
  return step('clone', { flags }, 'default')
}

/** After the cgroup is entered, since a new cgroup namespace begins where its maker stands. */
export function enterSteps(spec: ContainerSpec): Step[] {
  const { cgroup, ipc, user } = spec.namespaces
  return [
    ...(cgroup === 'new' && user.kind === 'host'
      ? [step('unshare', { flags: cloneFlags.cgroup }, 'HostConfig.CgroupnsMode')]
      : []),
    ...(ipc.kind === 'join' ? [step('join', { flags: cloneFlags.ipc }, 'HostConfig.IpcMode')] : []),
  ]
}

/** What is set in namespaces that are the container's own. */
export function nameSteps(spec: ContainerSpec): Step[] {
  return [
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
