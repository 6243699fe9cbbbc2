/**
 * The table of HostConfig: a row for each member that clients send (`api/host-config-shape.ts`). The record's schema, the defaults, the
 * checks, the limits and what `update` changes all follow from it. Nothing is silently ignored.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import type { HostConfig as Asked, ContainerUpdate, Mount } from '../../../api/container-body.ts'
import { hostConfig as shape } from '../../../api/host-config-shape.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Limits } from '../../../runtime/parts/cgroup-limits.ts'
import {
  type DeviceNumber,
  flag,
  invalid,
  list,
  type Machine,
  map,
  number,
  plainList,
  type Row,
  text,
  type Whole,
} from './host-config-row.ts'
import { isolationRows } from './isolation-rows.ts'
import { parseLink } from './links.ts'
import { logConfig } from './log-config.ts'
import { portBindings } from './port-bindings-row.ts'
import { resourceRows } from './resource-rows.ts'
import { restartPolicies, restartTuning } from './restart-policy.ts'

const restartSchema = z.object({ Name: z.string(), MaximumRetryCount: z.number() })

const restartPolicy: Row<NonNullable<Asked['RestartPolicy']>, z.output<typeof restartSchema>> = {
  kept: restartSchema,
  live: true,
  fill: (asked, { asked: { AutoRemove } }) => {
    const Name = asked?.Name || 'no'
    const MaximumRetryCount = asked?.MaximumRetryCount ?? 0
    if (!(restartPolicies as readonly string[]).includes(Name))
      throw invalid(
        `invalid restart policy: unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
      )
    if (MaximumRetryCount !== 0 && Name !== 'on-failure')
      throw invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'")
    if (MaximumRetryCount < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative')
    if (AutoRemove && Name !== 'no') throw invalid("can't create 'AutoRemove' container with restart policy")
    return { Name, MaximumRetryCount }
  },
}

const consoleSize: Row<readonly number[], [number, number]> = {
  kept: z.tuple([z.number(), z.number()]),
  fill: asked => [asked?.[0] ?? 0, asked?.[1] ?? 0],
}

/** "host:address", the address of the host among them. */
function extraHosts(entries: readonly string[]): readonly string[] {
  for (const entry of entries) {
    const at = entry.search(/[:=]/)
    const address = entry.slice(at + 1)
    if (at < 1) throw invalid(`bad format for add-host: "${entry}"`)
    if (address !== 'host-gateway' && isIP(address.replace(/^\[(.*)\]$/, '$1')) === 0)
      throw invalid(`invalid IP address in add-host: "${address}"`)
  }
  return entries
}

const servers: Row<readonly string[], string[]> = {
  kept: z.array(z.string()),
  fill: asked => {
    for (const address of asked ?? [])
      if (isIP(address) === 0)
        throw invalid(`bad nameserver address ${address}: ParseAddr("${address}"): unable to parse IP`)
    return [...(asked ?? [])]
  },
}

const shmSize: Row<number, number> = {
  kept: z.number(),
  fill: (asked = 0, { machine }) => {
    if (asked < 0) throw invalid('SHM size can not be less than 0')
    return asked || (machine.shmSize ?? 64 * 1024 ** 2)
  },
}

/** As asked; `mount-points.ts` makes mounts of them. */
const mounts: Row<readonly Mount[], readonly Mount[] | undefined> = {
  kept: shape.Mounts.optional() as z.ZodType<readonly Mount[] | undefined>,
  fill: asked => (asked?.length ? asked : undefined),
}

function annotations(entries: Readonly<Record<string, string>>): void {
  if ('' in entries) throw invalid('invalid Annotations: the empty string is not permitted as an annotation key')
  restartTuning(entries)
}

/** In the order that inspect shows. */
const rows = {
  Binds: list(),
  ContainerIDFile: text(),
  LogConfig: logConfig,
  NetworkMode: {
    ...text(),
    fill: (mode: string | undefined) => (!mode || mode === 'default' ? 'bridge' : mode),
  },
  PortBindings: portBindings,
  RestartPolicy: restartPolicy,
  AutoRemove: flag(),
  // looked up when a volume is made by it
  VolumeDriver: text(),
  VolumesFrom: list(),
  ConsoleSize: consoleSize,
  Annotations: map(annotations),
  Dns: servers,
  DnsOptions: plainList(),
  DnsSearch: plainList(),
  ExtraHosts: list(extraHosts),
  GroupAdd: list(),
  Links: list(links => {
    for (const link of links) parseLink(link)
    return links
  }),
  OomScoreAdj: number(score => {
    if (score < -1000 || score > 1000) throw invalid(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`)
  }),
  PublishAllPorts: flag(),
  ReadonlyRootfs: flag(),
  StorageOpt: map((_, { name }) => {
    throw new Failure('unsupported', `Cannot honour HostConfig.${name}: the writable layer has no limit of its own`)
  }),
  Tmpfs: map(),
  ShmSize: shmSize,
  ...isolationRows,
  ...resourceRows,
  Mounts: mounts,
  Init: { kept: z.boolean().optional(), fill: (asked: boolean | undefined) => asked },
} satisfies { readonly [K in keyof Required<Asked>]: Checked<NonNullable<Asked[K]>> }

interface Checked<A> {
  readonly kept: z.ZodType
  readonly fill: (asked: A | undefined, whole: Whole) => unknown
}

type Name = keyof typeof rows
type Kept<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: T[K]
}
/** As it is kept and shown: every member that Docker shows, with its default where nothing was asked. */
export type HostConfig = Kept<{ [K in Name]: z.output<(typeof rows)[K]['kept']> }>

const names = Object.keys(rows) as readonly Name[]
const rowOf = (name: Name) => rows[name] as Row<unknown, unknown>
const live = names.filter(name => rowOf(name).live)

/** Of the record. */
export const hostConfigSchema = z.looseObject(
  Object.fromEntries(names.map(name => [name, rows[name].kept])),
) as unknown as z.ZodType<HostConfig>

interface Filled {
  readonly hostConfig: HostConfig
  readonly warnings: string[]
}

/** @throws Failure `invalid` with Docker's texts, or `unsupported` naming the member. */
export function fillHostConfig(asked: Asked, machine: Machine): Filled {
  return filled(names, asked, machine)
}

function filled(which: readonly Name[], asked: Asked, machine: Machine): Filled {
  const warnings: string[] = []
  const whole = { asked, machine, warn: (text: string) => warnings.push(text) }
  const hostConfig: Partial<Record<Name, unknown>> = {}
  for (const name of which) {
    const value = rowOf(name).fill(asked[name], { ...whole, name })
    if (value !== undefined) hostConfig[name] = value
  }
  return { hostConfig: hostConfig as HostConfig, warnings }
}

/** The limits of a HostConfig in the runtime's terms. */
export function limitsOf(hostConfig: HostConfig, numbers: DeviceNumber): Limits {
  return Object.assign({}, ...names.map(name => defined(rowOf(name).limits?.(hostConfig[name], numbers) ?? {})))
}

/** The members that `update` takes. */
export function liveMembers(hostConfig: HostConfig): ContainerUpdate {
  return Object.fromEntries(live.map(name => [name, hostConfig[name]]))
}

/** Those that differ after an update; -1 lifts one. */
export function changedLimits(before: HostConfig, after: HostConfig): Limits {
  const limits = (hostConfig: HostConfig): Readonly<Record<string, unknown>> =>
    Object.assign({}, ...live.map(name => defined(rowOf(name).limits?.(hostConfig[name], noDevices) ?? {})))
  const [old, next] = [limits(before), limits(after)]
  const lifted = Object.keys(old).flatMap(name => (name in next ? [] : [[name, -1]]))
  const changed = Object.entries(next).filter(([name, value]) => value !== old[name])
  return Object.fromEntries([...lifted, ...changed])
}

const noDevices: DeviceNumber = path => {
  throw new Failure('internal', `Cannot change a limit of "${path}" while it is in use`)
}

function defined(limits: Limits): Limits {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
}

/** A kept one with what `update` asks for; what is absent, zero or empty stays as it is. @throws as `fillHostConfig`. */
export function updatedHostConfig(kept: HostConfig, asked: ContainerUpdate, machine: Machine): Filled {
  const given = (Object.keys(asked) as Name[]).filter(name => isGiven(name, asked[name as keyof ContainerUpdate]))
  const fixed = given.find(name => !rowOf(name).live)
  if (fixed)
    throw new Failure('unsupported', `Cannot update HostConfig.${fixed}: it is settled when a container is created`)
  checkTogether(kept, asked)
  const changes = Object.fromEntries(given.map(name => [name, asked[name as keyof ContainerUpdate]]))
  const before = Object.fromEntries(live.map(name => [name, kept[name] ?? undefined]))
  const { hostConfig, warnings } = filled(live, { ...before, ...changes } as Asked, machine)
  const lifted = given.filter(name => hostConfig[name] === null).map(name => [name, 0])
  return { hostConfig: { ...kept, ...hostConfig, ...Object.fromEntries(lifted) }, warnings }
}

/** Zero is a value of its own for the number of processes: none. */
function isGiven(name: Name, value: unknown): boolean {
  if (name === 'PidsLimit') return value !== undefined
  if (name === 'RestartPolicy') return Boolean((value as Asked['RestartPolicy'])?.Name)
  return Boolean(value) && (typeof value !== 'object' || Object.keys(value as object).length > 0)
}

/** What was set before and what is set now contradict each other: Docker's words for each pair. */
function checkTogether(kept: HostConfig, asked: ContainerUpdate): void {
  const conflict = (message: string) => new Failure('conflict', message)
  if (asked.RestartPolicy?.Name && kept.AutoRemove)
    throw conflict('Restart policy cannot be updated because AutoRemove is enabled for the container')
  const pairs = [
    ['NanoCpus', 'Nano CPUs', 'CpuPeriod', 'CPU Period'],
    ['NanoCpus', 'Nano CPUs', 'CpuQuota', 'CPU Quota'],
    ['CpuPeriod', 'CPU Period', 'NanoCpus', 'NanoCPUs'],
    ['CpuQuota', 'CPU Quota', 'NanoCpus', 'NanoCPUs'],
  ] as const
  for (const [now, its, before, other] of pairs)
    if ((asked[now] ?? 0) > 0 && kept[before] > 0)
      throw conflict(`Conflicting options: ${its} cannot be updated as ${other} has already been set`)
  if (!asked.MemorySwap && kept.MemorySwap > 0 && (asked.Memory ?? 0) > kept.MemorySwap)
    throw conflict(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    )
}
