/** Device nodes and links below /dev, made in a tmpfs of our own. */
import type { HostDevice } from '../host.ts'
import type { ContainerSpec, DeviceSpec } from '../spec.ts'
import { type Step, step } from '../steps.ts'
import { slots } from './slots.ts'

const standard = [
  ['null', 3],
  ['zero', 5],
  ['full', 7],
  ['random', 8],
  ['urandom', 9],
] as const

const links = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['core', '/proc/kcore'],
] as const

const fileType = { b: 0o060000, c: 0o020000 } as const

/** The kernel's own coding of a device number (makedev). */
function deviceNumber(major: number, minor: number): number {
  return Number(
    (BigInt(major & 0xfff) << 8n) |
      (BigInt(major >> 12) << 44n) |
      BigInt(minor & 0xff) |
      (BigInt(minor & ~0xff) << 12n),
  )
}

function nodeStep(slot: number, path: string, device: Omit<DeviceSpec, 'path' | 'cause'>, cause: string): Step {
  const { type, major, minor, mode, uid, gid } = device
  return step('node', { slot, path, mode: fileType[type] | mode, device: deviceNumber(major, minor), uid, gid }, cause)
}

/** `ofHost` is every device of the host, for a privileged container. */
export function deviceSteps(spec: ContainerSpec, ofHost: readonly HostDevice[]): Step[] {
  // a /dev of the author's own is left as it is
  if (spec.mounts.some(mount => mount.target === '/dev')) return []
  const own = { type: 'c', mode: 0o666, uid: 0, gid: 0 } as const
  const under = (path: string) =>
    path.startsWith('/dev/') ? { slot: slots.dev, path: path.slice(5) } : { slot: slots.root, path }
  return [
    ...standard.map(([name, minor]) => nodeStep(slots.dev, name, { ...own, major: 1, minor }, 'default')),
    nodeStep(slots.dev, 'tty', { ...own, major: 5, minor: 0 }, 'default'),
    ...links.map(([path, target]) => step('symlink', { slot: slots.dev, path, target })),
    step('symlink', { slot: slots.dev, path: 'ptmx', target: 'pts/ptmx' }),
    ...spec.devices.map(device => nodeStep(under(device.path).slot, under(device.path).path, device, device.cause)),
    ...ofHost.map(device =>
      nodeStep(under(device.path).slot, under(device.path).path, device, 'HostConfig.Privileged'),
    ),
  ]
}
