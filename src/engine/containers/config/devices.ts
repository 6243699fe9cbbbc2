/** Host devices by path → nodes to make and the access rules that go with them. */
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import type { DeviceRule, DeviceSpec } from '../../../runtime/spec.ts'
import type { HostConfig } from './config.ts'
import { deviceRule } from './host-config.ts'

export interface Devices {
  readonly nodes: readonly DeviceSpec[]
  readonly rules: readonly DeviceRule[]
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
  return { nodes, rules }
}

/** One device, or every device below a folder. */
async function devicesAt(host: string, inside: string, cause: string): Promise<DeviceSpec[]> {
  let found: Awaited<ReturnType<typeof stat>>
  try {
    found = await stat(host)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    throw new Failure(
      'invalid',
      `error gathering device information while adding custom device "${host}": no such file or directory`,
    )
  }
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

/** makedev(3) of glibc, undone; a number holds it exactly as long as the major stays below 2²¹. */
function deviceNumbers(rdev: number): { major: number; minor: number } {
  const dev = BigInt(rdev)
  return {
    major: Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)),
    minor: Number((dev & 0xffn) | ((dev >> 12n) & ~0xffn & 0xffffffffn)),
  }
}
