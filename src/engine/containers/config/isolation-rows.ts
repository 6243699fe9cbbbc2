/** The rows of HostConfig about rights, namespaces and what of the kernel is shown. */
import { z } from 'zod'
import { Failure } from '../../../lib/failure.ts'
import { checkCapabilities } from './capabilities.ts'
import { flag, invalid, list, map, type Row, text, type Whole } from './host-config-row.ts'
import { defaultRuntime, runtimes } from './runtimes.ts'
import { checkSecurityOptions } from './security-options.ts'

const defaultMaskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
const defaultReadonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

const joinable = /^container:./

/** A word of a closed list, in Docker's words otherwise. */
function mode(called: string, allowed: (value: string) => boolean, unset = ''): Row<string, string> {
  return text(unset, value => {
    if (!allowed(value)) throw invalid(`invalid ${called} mode: ${value}`)
  })
}

/** Null for a privileged container that asks for none: clients tell it from an empty list. */
function runtimePaths(otherwise: readonly string[]): Row<readonly string[], string[] | null> {
  return {
    kept: z.array(z.string()).nullable(),
    fill: (asked, { asked: { Privileged, SecurityOpt } }) => {
      if (!asked && Privileged) return null
      if (!asked) return checkSecurityOptions(SecurityOpt ?? []).unmasked ? [] : [...otherwise]
      for (const path of asked)
        if (!path.startsWith('/') || path.split('/').includes('..'))
          throw invalid(`invalid masked or read-only path: ${JSON.stringify(path)}`)
      return [...asked]
    },
  }
}

/** Names are held against the namespaces later, when those are known (`checkSysctls`). */
function plainNames(sysctls: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(sysctls))
    if (!/^[a-zA-Z0-9_./-]+$/.test(name) || name.split(/[./]/).includes('..')) throw invalid(`invalid sysctl "${name}"`)
}

/** Whoever sees the host's processes or memory has no label of its own: shown as Docker shows it, on hosts without labels too. */
const securityOpt: Row<readonly string[], string[] | null> = {
  kept: z.array(z.string()).nullable(),
  fill: (asked = [], { asked: { Privileged, PidMode, IpcMode } }) => {
    checkSecurityOptions(asked)
    const open = Privileged || PidMode === 'host' || IpcMode === 'host'
    const all = open && !asked.some(option => option.startsWith('label')) ? [...asked, 'label=disable'] : [...asked]
    return all.length > 0 ? all : null
  },
}

/** Nothing but what is so anyhow. */
function only(accepted: readonly string[], because: string): Row<string, string> {
  return text('', (value, { name }: Whole) => {
    if (!accepted.includes(value))
      throw new Failure('unsupported', `Cannot honour HostConfig.${name} "${value}": ${because}`)
  })
}

export const isolationRows = {
  CapAdd: list(names => checkCapabilities('CapAdd', names)),
  CapDrop: list(names => checkCapabilities('CapDrop', names)),
  CgroupnsMode: mode('cgroup namespace', value => value === 'private' || value === 'host', 'private'),
  IpcMode: mode(
    'IPC',
    value => ['private', 'shareable', 'host', 'none'].includes(value) || joinable.test(value),
    'private',
  ),
  Cgroup: only([], 'a container cannot be put into the cgroup of another'),
  PidMode: mode('PID', value => value === 'private' || value === 'host' || joinable.test(value)),
  Privileged: flag(),
  SecurityOpt: securityOpt,
  UTSMode: mode('UTS', value => value === 'host'),
  UsernsMode: mode('user namespace', value => ['host', 'auto', 'private'].includes(value) || joinable.test(value)),
  Sysctls: map(plainNames),
  Runtime: text(defaultRuntime, value => {
    if (!(value in runtimes) && value !== 'io.containerd.runc.v2')
      throw invalid(`unknown or invalid runtime name: ${value}`)
  }),
  Isolation: text('', value => {
    if (value !== 'default') throw invalid(`invalid isolation (${value}): linux only supports 'default'`)
  }),
  MaskedPaths: runtimePaths(defaultMaskedPaths),
  ReadonlyPaths: runtimePaths(defaultReadonlyPaths),
}
