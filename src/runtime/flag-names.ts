/** Numbers of the kernel by their names, for people: CLONE_NEWPID|CLONE_NEWNS for 0x20020000. */
import { capabilityNames } from '../lib/capabilities.ts'
import { rlimitName } from './parts/limits.ts'
import { cloneFlags } from './parts/namespaces.ts'

type Bits = readonly (readonly [bit: number, name: string])[]

const clone: Bits = [
  [cloneFlags.mnt, 'CLONE_NEWNS'],
  [cloneFlags.pid, 'CLONE_NEWPID'],
  [cloneFlags.ipc, 'CLONE_NEWIPC'],
  [cloneFlags.uts, 'CLONE_NEWUTS'],
  [cloneFlags.net, 'CLONE_NEWNET'],
  [cloneFlags.cgroup, 'CLONE_NEWCGROUP'],
  [cloneFlags.user, 'CLONE_NEWUSER'],
]

/** linux/mount.h. */
const mountAttributes: Bits = [
  [1, 'MOUNT_ATTR_RDONLY'],
  [2, 'MOUNT_ATTR_NOSUID'],
  [4, 'MOUNT_ATTR_NODEV'],
  [8, 'MOUNT_ATTR_NOEXEC'],
  [0x10, 'MOUNT_ATTR_NOATIME'],
  [0x20, 'MOUNT_ATTR_STRICTATIME'],
  [0x80, 'MOUNT_ATTR_NODIRATIME'],
]

/** linux/mount.h. */
const mountFlags: Bits = [
  [0x4000, 'MS_REC'],
  [1 << 18, 'MS_PRIVATE'],
  [1 << 19, 'MS_SLAVE'],
  [1 << 20, 'MS_SHARED'],
]

const streams: Bits = [
  [1, 'terminal'],
  [2, 'stdin'],
  [4, 'stdin-once'],
]
const attached: Bits = [
  [1, 'stdin'],
  [2, 'stdout'],
  [4, 'stderr'],
]
const points: Bits = [
  [1, 'folder'],
  [2, 'file'],
  [4, 'untrusted'],
  [8, 'procfs'],
  [16, 'like'],
]

/** Which argument of which step is made of bits. */
const bits: Readonly<Record<string, Readonly<Record<string, Bits>>>> = {
  clone: { flags: clone },
  join: { flags: clone },
  unshare: { flags: clone },
  'user-new': { flags: clone },
  'user-of-target': { flags: clone },
  'user-enter': { flags: clone },
  'fs-mount': { attributes: mountAttributes },
  'fs-mount-as': { attributes: mountAttributes },
  attributes: { set: mountAttributes, clear: mountAttributes, propagation: mountFlags },
  propagation: { flags: mountFlags },
  stdio: { flags: streams, attach: attached },
  place: { make: points },
}

/** An argument of a step in words, where it has any: "RLIMIT_NOFILE", "c 1:3". */
export function nameOfArgument(step: string, argument: string, value: number): string | undefined {
  const table = bits[step]?.[argument]
  if (table) return joined(table, value)
  if (argument === 'resource') return `RLIMIT_${rlimitName(value).toUpperCase()}`
  if (argument === 'device') return deviceText(value)
  if (argument === 'capabilities' || argument === 'effective' || argument === 'permitted') return capabilities(value)
  return undefined
}

/** Bits that have no name stay a number. */
function joined(table: Bits, value: number): string {
  const known = table.filter(([bit]) => (value & bit) !== 0)
  const rest = known.reduce((left, [bit]) => left - bit, value)
  const names = known.map(([, name]) => name)
  return [...names, ...(rest === 0 ? [] : [`0x${rest.toString(16)}`])].join('|') || '0'
}

function capabilities(mask: number): string {
  const set = capabilityNames.filter((_, index) => (BigInt(mask) >> BigInt(index)) & 1n)
  return set.length === capabilityNames.length ? 'ALL' : set.join(',') || 'none'
}

/** "1:3", as the kernel's `new_encode_dev` packs it. */
function deviceText(device: number): string {
  const major = Math.floor(device / 256) % 4096
  const minor = (device % 256) + Math.floor(device / 2 ** 20) * 256
  return `${major}:${minor}`
}
