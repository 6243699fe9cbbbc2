/** Host devices by path → nodes to make and the access rules that go with them. */
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../../lib/failure.ts'
import { systemErrorWords } from '../../../runtime/errno.ts'
import type { DeviceRule, DeviceSpec } from '../../../runtime/spec.ts'
import { deviceNumbers } from './device-numbers.ts'
import { deviceRule } from './device-rows.ts'
import type { HostConfig } from './host-config.ts'
import type { DeviceNumber } from './host-config-row.ts'

export interface Devices {
  readonly nodes: readonly DeviceSpec[]
  readonly rules: readonly DeviceRule[]
  /** Of the block devices that have limits of their own. */
  readonly numberOf: DeviceNumber
}

/** @throws Failure `invalid` when a path is no device or holds none. */
export async function resolveDevices(hostConfig: HostConfig): Promise<Devices> {
  const nodes: DeviceSpec[] = []
  const rules: DeviceRule[] = []
  for (const [i, device] of hostConfig.Devices.entries()) {
    const cause = `HostConfig.Devices[${i}]`
    const found = await devicesAt(device.PathOnHost, device.PathInContainer, cause)
    if (found.length === 0)
      throw new Failure(
        'invalid',
        `error gathering device information while adding custom device "${device.PathOnHost}": not a device node`,
      )
    for (const node of found) {
      nodes.push(node)
      rules.push({
        allow: true,
        type: node.type,
        major: node.major,
        minor: node.minor,
        access: device.CgroupPermissions,
      })
    }
  }
  for (const rule of hostConfig.DeviceCgroupRules ?? []) {
    const [, type, major, minor, access] = deviceRule.exec(rule)!
    const number = (text: string | undefined) => (text === '*' ? ('*' as const) : Number(text))
    rules.push({
      allow: true,
      type: type as DeviceRule['type'],
      major: number(major),
      minor: number(minor),
      access: access!,
    })
  }
  return { nodes, rules, numberOf: await limitedDevices(hostConfig) }
}

/** @throws Failure `invalid` when one is not there. */
async function limitedDevices(hostConfig: HostConfig): Promise<DeviceNumber> {
  const paths = [
    hostConfig.BlkioWeightDevice,
    hostConfig.BlkioDeviceReadBps,
    hostConfig.BlkioDeviceWriteBps,
    hostConfig.BlkioDeviceReadIOps,
    hostConfig.BlkioDeviceWriteIOps,
  ].flatMap(list => list.map(({ Path }) => Path))
  const numbers = new Map<string, ReturnType<DeviceNumber>>()
  for (const path of paths) {
    const found = await deviceStat(path, `stat ${path}`)
    if (!found.isBlockDevice()) throw new Failure('invalid', `Cannot limit "${path}": it is not a block device`)
    numbers.set(path, deviceNumbers(found.rdev))
  }
  return path => numbers.get(path)!
}

async function deviceStat(path: string, doing: string) {
  try {
    return await stat(path)
  } catch (error) {
    const words = systemErrorWords(error)
    if (words === undefined) throw error
    throw new Failure('invalid', `${doing}: ${words}`, { cause: error })
  }
}

/** One device, or every device below a folder. */
async function devicesAt(host: string, inside: string, cause: string): Promise<DeviceSpec[]> {
  const found = await deviceStat(host, `error gathering device information while adding custom device "${host}"`)
  if (found.isDirectory()) {
    const nodes: DeviceSpec[] = []
    for (const name of (await readdir(host)).sort()) {
      // Inside a folder, as in /dev/fd, links lead elsewhere.
      const entry = await lstat(join(host, name))
      if (entry.isDirectory() || entry.isBlockDevice() || entry.isCharacterDevice())
        nodes.push(...(await devicesAt(join(host, name), join(inside, name), cause)))
    }
    return nodes
  }
  if (!found.isBlockDevice() && !found.isCharacterDevice()) return []
  return [
    {
      cause,
      path: inside,
      type: found.isBlockDevice() ? 'b' : 'c',
      ...deviceNumbers(found.rdev),
      mode: found.mode & 0o777,
      uid: found.uid,
      gid: found.gid,
    },
  ]
}
