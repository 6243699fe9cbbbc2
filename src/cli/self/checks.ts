/** What a machine should have for our engine, row by row: found, and what its lack costs. Pure. */
import type { Machine } from './machine.ts'

export interface Finding {
  readonly name: string
  /** `missing`: the engine cannot run. `limited`: it runs, and `cost` says what cannot be had. */
  readonly level: 'ok' | 'limited' | 'missing'
  readonly found: string
  readonly cost?: string
  readonly hint?: string
}

type Check = (machine: Machine) => Finding

/** All of them, in the order they are told. */
export function findings(machine: Machine): readonly Finding[] {
  return checks.map(check => check(machine))
}

/** Every row: [whether it is there, what was found, else what it costs, else what helps]. */
interface Row {
  readonly name: string
  readonly needed: boolean
  has(machine: Machine): boolean
  found?(machine: Machine): string
  readonly cost: string
  readonly hint?: string
}

function check({ name, needed, has, found, cost, hint }: Row): Check {
  return machine => {
    const isThere = has(machine)
    const told = found?.(machine) ?? (isThere ? 'there' : 'not there')
    if (isThere) return { name, level: 'ok', found: told }
    return { name, level: needed ? 'missing' : 'limited', found: told, cost, ...(hint === undefined ? {} : { hint }) }
  }
}

const namespace = (kind: string, what: string): Check =>
  check({
    name: `${what} namespaces`,
    needed: kind !== 'user' && kind !== 'cgroup',
    has: ({ namespaces }) => namespaces.includes(kind),
    cost: kind === 'user' ? 'userns_mode' : kind === 'cgroup' ? 'cgroup: private' : 'Containers cannot be isolated',
    hint: 'It takes a kernel that is built with them',
  })

const checks: readonly Check[] = [
  check({
    name: 'architecture',
    needed: true,
    has: ({ architecture }) => architecture === 'x64',
    found: ({ architecture }) => architecture,
    cost: 'The monitor is built for x86-64',
  }),
  check({
    name: 'kernel',
    needed: true,
    has: ({ kernel }) => atLeast(kernel, [5, 12]),
    found: ({ kernel }) => kernel,
    cost: 'Mounts are made by mount_setattr(2), which is of Linux 5.12',
    hint: 'Debian 11 has 5.10 and a newer one in its backports',
  }),
  check({
    name: 'layers by one',
    needed: false,
    has: ({ kernel }) => atLeast(kernel, [6, 5]),
    found: ({ kernel }) => (atLeast(kernel, [6, 5]) ? 'Linux 6.5 or newer' : `Linux ${kernel.split('-')[0]}`),
    cost: 'Images with more than some hundred layers cannot be mounted',
  }),
  check({
    name: 'glibc',
    needed: true,
    has: ({ glibc }) => glibc !== undefined && atLeast(glibc, [2, 31]),
    found: ({ glibc }) => glibc ?? 'another C library',
    cost: 'Programs here are linked to glibc 2.31',
  }),
  check({
    name: 'root rights',
    needed: false,
    has: ({ uid }) => uid === 0,
    found: ({ uid }) => (uid === 0 ? 'root' : `user ${uid}`),
    cost: 'This user has an engine of its own: no ports below net.ipv4.ip_unprivileged_port_start, and limits as far as systemd gives them',
    hint: 'Run it with sudo for the engine of this machine',
  }),
  check({
    name: 'cgroups',
    needed: true,
    has: ({ mountinfo }) => cgroupVersion(mountinfo) !== undefined,
    found: ({ mountinfo }) => {
      const version = cgroupVersion(mountinfo)
      return version === undefined ? 'none is mounted' : `version ${version}`
    },
    cost: 'Containers need a group each',
    hint: 'Mount the cgroup file system: mount -t cgroup2 none /sys/fs/cgroup',
  }),
  ...(['memory', 'cpu', 'cpuset', 'pids', 'io'] as const).map(controller =>
    check({
      name: `cgroup ${controller}`,
      needed: false,
      has: machine => hasController(machine, controller),
      cost: {
        memory: 'mem_limit, mem_reservation and the figures of stats',
        cpu: 'cpus, cpu_shares, cpu_quota',
        cpuset: 'cpuset',
        pids: 'pids_limit',
        io: 'blkio_config',
      }[controller],
    }),
  ),
  namespace('mnt', 'mount'),
  namespace('net', 'network'),
  namespace('pid', 'process'),
  namespace('ipc', 'IPC'),
  namespace('uts', 'host name'),
  namespace('cgroup', 'cgroup'),
  namespace('user', 'user'),
  check({
    name: 'overlay',
    needed: true,
    has: ({ filesystems, hasModule }) => filesystems.includes('overlay') || hasModule('overlay'),
    cost: 'The roots of containers are overlays of layers',
    hint: 'modprobe overlay',
  }),
  check({
    name: 'bridge and veth',
    needed: false,
    has: ({ hasModule }) => hasModule('bridge') && hasModule('veth'),
    cost: 'No networks: only network_mode host and none',
    hint: 'modprobe bridge veth',
  }),
  check({
    name: 'nf_tables',
    needed: false,
    has: ({ hasModule }) => hasModule('nf_tables'),
    cost: 'No published ports, no way out of networks',
    hint: 'modprobe nf_tables',
  }),
  check({
    name: 'libnftables',
    needed: false,
    has: ({ hasLibrary }) => hasLibrary('libnftables.so.1'),
    cost: 'No networks: only network_mode host and none',
    hint: 'Install libnftables1',
  }),
  check({
    name: 'libseccomp',
    needed: true,
    has: ({ hasLibrary }) => hasLibrary('libseccomp.so.2'),
    cost: 'Filters of system calls are made by it; only containers with security_opt seccomp=unconfined run',
    hint: 'Install libseccomp2',
  }),
  check({
    name: 'seccomp',
    needed: false,
    has: ({ text }) => /^Seccomp:/m.test(text('/proc/self/status') ?? ''),
    cost: 'System calls of containers are not filtered',
  }),
  check({
    name: 'nsenter',
    needed: false,
    has: ({ hasProgram }) => hasProgram('nsenter'),
    cost: 'Containers that are name servers themselves (port 53) cannot have our names',
    hint: 'Install util-linux',
  }),
  check({
    name: 'newuidmap',
    needed: false,
    has: ({ hasProgram }) => hasProgram('newuidmap') && hasProgram('newgidmap'),
    cost: 'An engine without root rights cannot start',
    hint: 'Install uidmap',
  }),
  check({
    name: 'way out',
    needed: false,
    has: ({ hasProgram, opens }) => (hasProgram('pasta') || hasProgram('slirp4netns')) && opens('/dev/net/tun'),
    found: ({ hasProgram, opens }) => {
      const found = ['pasta', 'slirp4netns'].find(hasProgram)
      return found === undefined ? 'no pasta' : `${found}${opens('/dev/net/tun') ? '' : ', and /dev/net/tun is closed'}`
    },
    cost: 'Containers of an engine without root rights reach nothing outside',
    hint: 'Install passt, and let users open /dev/net/tun',
  }),
  check({
    name: 'subordinate IDs',
    needed: false,
    has: ({ text, user }) =>
      user !== undefined &&
      ['/etc/subuid', '/etc/subgid'].every(file =>
        new RegExp(`^${escapeRegExp(user)}:\\d+:\\d+$`, 'm').test(text(file) ?? ''),
      ),
    found: ({ user }) => (user === undefined ? 'no user name' : `of ${user}`),
    cost: 'An engine of this user cannot start: images have files of several owners',
    hint: 'usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER',
  }),
]

/** Whether "6.1.0-18" is at least [5, 12]. */
export function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ours = 0, theirs = 0] = version.split('.').map(part => Number.parseInt(part, 10))
  return ours > major || (ours === major && theirs >= minor)
}

/** As the engine chooses: version 1 when it has the memory controller. */
export function cgroupVersion(mountinfo: string): 1 | 2 | undefined {
  const mounts = cgroupMounts(mountinfo)
  if (mounts.some(({ type, options }) => type === 'cgroup' && options.includes('memory'))) return 1
  return mounts.some(({ type }) => type === 'cgroup2') ? 2 : undefined
}

function hasController({ mountinfo, text }: Machine, name: string): boolean {
  const mounts = cgroupMounts(mountinfo)
  if (cgroupVersion(mountinfo) === 1)
    return mounts.some(({ type, options }) => type === 'cgroup' && options.includes(name === 'io' ? 'blkio' : name))
  const unified = mounts.find(({ type }) => type === 'cgroup2')
  return (text(`${unified?.target}/cgroup.controllers`) ?? '').trim().split(' ').includes(name)
}

function cgroupMounts(mountinfo: string) {
  return mountinfo.split('\n').flatMap(line => {
    const [before, after] = line.split(' - ')
    const [type = '', , options = ''] = after?.split(' ') ?? []
    return type.startsWith('cgroup') ? [{ type, options: options.split(','), target: before?.split(' ')[4] ?? '' }] : []
  })
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
