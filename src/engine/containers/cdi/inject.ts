/** Devices of specifications → what they add to a container: variables, nodes with their access, mounts, groups. */
import { stat } from 'node:fs/promises'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import type { DeviceRule, DeviceSpec, MountSpec } from '../../../runtime/spec.ts'
import { deviceNumbers } from '../config/device-numbers.ts'
import type { Device, Registry } from './registry.ts'
import type { Edits } from './specification.ts'

export interface Injected {
  readonly env: readonly string[]
  readonly nodes: readonly DeviceSpec[]
  readonly rules: readonly DeviceRule[]
  readonly mounts: readonly MountSpec[]
  readonly groups: readonly number[]
  /** What a specification asks for and is not done, by name. */
  readonly left: readonly string[]
}

export const nothingInjected: Injected = { env: [], nodes: [], rules: [], mounts: [], groups: [], left: [] }

/** @param names of devices. @throws Failure `internal` in Docker's words for those that nobody describes. */
export async function inject(names: readonly string[], registry: Registry): Promise<Injected> {
  const missing = names.filter(name => !registry.devices.has(name))
  if (missing.length > 0)
    throw new Failure('internal', `CDI device injection failed: unresolvable CDI devices ${missing.join(', ')}`, {
      hint: registry.problems[0] ?? 'Files in /etc/cdi and /var/run/cdi describe such devices',
    })
  const devices = names.map(name => ({ name, device: registry.devices.get(name)! }))
  const parts = await Promise.all(editsOf(devices).map(({ name, edits }) => edited(name, edits)))
  // of two mounts on one place the later one is meant
  const mounts = new Map(parts.flatMap(part => part.mounts).map(mount => [mount.target, mount]))
  return {
    env: parts.flatMap(part => part.env),
    nodes: parts.flatMap(part => part.nodes),
    rules: parts.flatMap(part => part.rules),
    mounts: [...mounts.values()],
    groups: [...new Set(parts.flatMap(part => part.groups))].filter(group => group !== 0),
    left: [...new Set(parts.flatMap(part => part.left))],
  }
}

/** Those of a file once, before the first of its devices. */
function editsOf(devices: readonly { readonly name: string; readonly device: Device }[]) {
  const seen = new Set<unknown>()
  return devices.flatMap(({ name, device: { specification, edits } }) => {
    const isFirst = !seen.has(specification)
    seen.add(specification)
    const own: { readonly name: string; readonly edits: Edits } = { name, edits }
    return isFirst ? [{ name: specification.kind, edits: specification.containerEdits }, own] : [own]
  })
}

async function edited(name: string, edits: Edits): Promise<Injected> {
  const cause = `CDI ${name}`
  const nodes = await Promise.all((edits.deviceNodes ?? []).map(node => nodeOf(node, cause)))
  return {
    env: edits.env ?? [],
    nodes: nodes.map(({ node }) => node),
    rules: nodes.map(({ rule }) => rule),
    mounts: await Promise.all((edits.mounts ?? []).map(mount => mountOf(mount, cause))),
    groups: edits.additionalGids ?? [],
    left: [
      ...(edits.hooks ?? []).map(
        ({ hookName, path, args = [] }) => `${hookName} hook "${[path, ...args.slice(1)].join(' ')}" of ${name}`,
      ),
      ...(edits.intelRdt ? [`intelRdt of ${name}`] : []),
      ...(edits.netDevices?.length ? [`netDevices of ${name}`] : []),
    ],
  }
}

type Node = NonNullable<Edits['deviceNodes']>[number]

/** What it does not say is that of the host's node. */
async function nodeOf(node: Node, cause: string): Promise<{ readonly node: DeviceSpec; readonly rule: DeviceRule }> {
  const { path, permissions = 'rwm', fileMode = 0o666, uid = 0, gid = 0 } = node
  if (node.type === 'p') throw new Failure('unsupported', `Cannot make "${path}" for ${cause}: it is a named pipe`)
  const found = await numbersOf(node, cause)
  return {
    node: { cause, path, ...found, mode: fileMode & 0o777, uid, gid },
    rule: { allow: true, ...found, access: permissions },
  }
}

async function numbersOf({ path, hostPath = path, type, major, minor = 0 }: Node, cause: string) {
  const wanted = type === 'u' ? 'c' : type
  if (wanted !== undefined && wanted !== 'p' && major) return { type: wanted, major, minor }
  const failed = (why: string) =>
    new Failure(
      'internal',
      `CDI device injection failed: failed to fill in device node "${hostPath}" of ${cause}: ${why}`,
    )
  let host: Awaited<ReturnType<typeof stat>>
  try {
    host = await stat(hostPath)
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error
    throw failed('no such file or directory')
  }
  if (!host.isBlockDevice() && !host.isCharacterDevice()) throw failed('it is no device')
  const own = host.isBlockDevice() ? ('b' as const) : ('c' as const)
  if (wanted !== undefined && wanted !== own) throw failed(`its type is ${own}, and not ${wanted}`)
  return { type: own, ...deviceNumbers(host.rdev) }
}

const flags = new Set(['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime'])
const propagations = new Set(['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'])

async function mountOf(
  { hostPath, containerPath: target, options, type = '' }: NonNullable<Edits['mounts']>[number],
  cause: string,
): Promise<MountSpec> {
  if (!['', 'bind', 'none'].includes(type) && !options.some(option => option === 'bind' || option === 'rbind'))
    throw new Failure('unsupported', `Cannot mount "${target}" for ${cause}: its type is "${type}", and should be bind`)
  let directory: boolean
  try {
    directory = (await stat(hostPath)).isDirectory()
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error
    throw new Failure('internal', `Cannot mount "${hostPath}" for ${cause}: there is no such file or folder`)
  }
  const strange = options.find(
    option => !['ro', 'rw', 'bind', 'rbind'].includes(option) && !flags.has(option) && !propagations.has(option),
  )
  if (strange !== undefined)
    throw new Failure('unsupported', `Cannot mount "${target}" for ${cause}: option "${strange}" is not known`)
  return {
    kind: 'bind',
    cause,
    source: hostPath,
    target,
    readonly: options.includes('ro'),
    recursive: options.includes('rbind') || !options.includes('bind'),
    propagation: (options.find(option => propagations.has(option)) ?? 'rprivate') as never,
    directory,
    flags: options.filter(option => flags.has(option)) as never,
  }
}
