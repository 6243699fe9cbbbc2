/** A container's group: made, limited and entered, on v1 (a hierarchy a controller) and v2 (one). */
import type { CgroupFacts } from '../host.ts'
import type { CgroupSpec, DeviceRule } from '../spec.ts'
import { type Step, step } from '../steps.ts'
import { type CgroupWrite, limitWrites } from './cgroup-limits.ts'
import { deviceFilter } from './device-filter.ts'
import { scopeOf } from './systemd-scope.ts'

/** What DEFAULTS.md lists, less 10:200 (tun). */
const defaultDevices: readonly DeviceRule[] = [
  { allow: true, type: 'c', major: '*', minor: '*', access: 'm' },
  { allow: true, type: 'b', major: '*', minor: '*', access: 'm' },
  ...[
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 1],
    [5, 2],
    [136, '*'],
  ].map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' }) as DeviceRule),
]

/** The folders of a group: one a mount, since controllers may share one. */
export function cgroupFolders(facts: CgroupFacts, path: string): readonly string[] {
  return [...new Set(Object.values(facts.mounts))].map(mount => `${mount}/${placed(facts, path)}`)
}

/** The folder of one controller's group; undefined when the machine has no such controller. */
export function cgroupFolder(facts: CgroupFacts, controller: string, path: string): string | undefined {
  const mount = facts.mounts[controller]
  return mount === undefined ? undefined : `${mount}/${placed(facts, path)}`
}

function placed(facts: CgroupFacts, path: string): string {
  const room = facts.scope === undefined ? undefined : scopeOf(facts.scope, path)
  return room === undefined ? path : `${room.folder}/${path}`
}

/** Where the kernel counts out-of-memory kills. */
export function oomFile(facts: CgroupFacts, path: string): string {
  const folder = cgroupFolder(facts, 'memory', path)
  return folder === undefined ? '' : `${folder}/${facts.version === 1 ? 'memory.oom_control' : 'memory.events'}`
}

function deviceWrites(rules: readonly DeviceRule[]): readonly CgroupWrite[] {
  const write = (rule: DeviceRule, cause: string): CgroupWrite => ({
    controller: 'devices',
    file: `devices.${rule.allow ? 'allow' : 'deny'}`,
    value: `${rule.type} ${rule.major}:${rule.minor} ${rule.access}`,
    cause,
  })
  return [
    { controller: 'devices', file: 'devices.deny', value: 'a', cause: 'default' },
    ...defaultDevices.map(rule => write(rule, 'default')),
    ...rules.map(rule => write(rule, 'HostConfig.Devices')),
  ]
}

/** Host steps that make the group, set it, and have the child begin in it; child steps that enter it where that is needed. `unfiltered`: with every device. */
export function cgroupSteps(
  facts: CgroupFacts,
  spec: CgroupSpec,
  unfiltered: boolean,
): { readonly host: readonly Step[]; readonly child: readonly Step[] } {
  const folders = cgroupFolders(facts, spec.path)
  const made = folders.map(path =>
    step('mkdir', { path, mode: 0o755 }, 'default', step('rmdir', { path, patience: 2000 })),
  )
  const devices = unfiltered || facts.version === 2 ? [] : deviceWrites(spec.devices)
  const writes = [...limitWrites(facts, spec), ...devices].map(({ controller, file, value, cause }) =>
    step('write', { path: `${cgroupFolder(facts, controller, spec.path)}/${file}`, value }, cause),
  )
  const filters =
    unfiltered || facts.version === 1
      ? []
      : folders.map(path =>
          step(
            'filter-devices',
            { path, filter: deviceFilter([...defaultDevices, ...spec.devices]) },
            'HostConfig.Devices',
          ),
        )
  const entry = entrySteps(facts, spec.path)
  return { host: [...made, ...writes, ...filters, ...entry.host], child: entry.child }
}

/**
 * On v2 a child begins in its group, which spares the kernel a move. On v1 it moves itself, by `tasks`, which spares the kernel its
 * lock over all processes.
 */
export function entrySteps(
  facts: CgroupFacts,
  path: string,
): { readonly host: readonly Step[]; readonly child: readonly Step[] } {
  const folders = cgroupFolders(facts, path)
  if (facts.version === 2) return { host: folders.map(folder => step('born-in', { path: folder })), child: [] }
  return { host: [], child: folders.map(folder => step('join-cgroup', { path: `${folder}/tasks` })) }
}

export function removeSteps(facts: CgroupFacts, path: string, patience: number): Step[] {
  return cgroupFolders(facts, path).map(folder => step('rmdir', { path: folder, patience }))
}
