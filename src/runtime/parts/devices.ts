/** Device nodes and links below /dev, made in a tmpfs of our own. */
import { Failure } from '../../lib/failure.ts'
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

export interface DeviceSource {
  /** Every device of the host. */
  readonly ofHost: readonly HostDevice[]
  /** Whether none can be made, so that those of the host are shown in their places. */
  readonly bound: boolean
}

/** A privileged container has every device of the host. */
export function deviceSteps(spec: ContainerSpec, { ofHost, bound }: DeviceSource): Step[] {
  // a /dev of the author's own is left as it is
  if (spec.mounts.some(mount => mount.target === '/dev')) return []
  if (bound) return boundSteps(spec, ofHost)
  const all = spec.privileged ? ofHost : []
  const own = { type: 'c', mode: 0o666, uid: 0, gid: 0 } as const
  const under = (path: string) =>
    path.startsWith('/dev/') ? { slot: slots.dev, path: path.slice(5) } : { slot: slots.root, path }
  return [
    ...standard.map(([name, minor]) => nodeStep(slots.dev, name, { ...own, major: 1, minor }, 'default')),
    nodeStep(slots.dev, 'tty', { ...own, major: 5, minor: 0 }, 'default'),
    ...linkSteps(),
    ...spec.devices.map(device => nodeStep(under(device.path).slot, under(device.path).path, device, device.cause)),
    ...all.map(device => nodeStep(under(device.path).slot, under(device.path).path, device, 'HostConfig.Privileged')),
  ]
}

function linkSteps(): Step[] {
  return [
    ...links.map(([path, target]) => step('symlink', { slot: slots.dev, path, target })),
    step('symlink', { slot: slots.dev, path: 'ptmx', target: 'pts/ptmx' }),
  ]
}

/** `place` of a device: the file it is bound over is made. */
const madeFile = 2

function boundSteps(spec: ContainerSpec, ofHost: readonly HostDevice[]): Step[] {
  const bind = (source: string, path: string, cause: string) => [
    step('tree', { slot: slots.passing, path: source, recursive: 0 }, cause),
    step('place', { slot: slots.passing, path, make: madeFile }, cause),
  ]
  return [
    ...[...standard.map(([name]) => name), 'tty'].flatMap(name => bind(`/dev/${name}`, `/dev/${name}`, 'default')),
    ...linkSteps(),
    ...spec.devices.flatMap(({ path, type, major, minor, cause }) => {
      const found = ofHost.find(each => each.type === type && each.major === major && each.minor === minor)
      if (found === undefined)
        throw new Failure(
          'unsupported',
          `Cannot make device "${path}" without root rights: it is not below /dev of the host`,
        )
      return bind(found.path, path, cause)
    }),
    ...(spec.privileged ? ofHost : []).flatMap(({ path }) => bind(path, path, 'HostConfig.Privileged')),
  ]
}
