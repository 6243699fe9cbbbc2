/** Limits and restart policy of a container as it is, compared with what is wanted; what an engine fills in or cannot do is no difference. */
import type { ContainerUpdate, HostConfig } from '../../../api/container-body.ts'
import type { Change } from '../../../plan/change.ts'
import { valueChanges } from './field-changes.ts'
import { fieldValue } from './field-values.ts'
import type { Present } from './made.ts'

type Host = Present<HostConfig>
type Member = keyof ContainerUpdate & keyof HostConfig

interface Row {
  readonly member: Member
  /** What takes a limit away again; without it only a new container is free of one. */
  readonly lift?: number
  /** Values that are none, beside zero. */
  readonly none?: (value: unknown) => boolean
  /** On some machines it is left out, and an update says no more than a warning: only a new container tells. */
  readonly uncertain?: boolean
}

const negative = (value: unknown): boolean => Number(value) < 0

/** By the stack's name. Docker's `update` takes no other limits: it leaves rates of devices out without a word. */
export const liveLimits: Readonly<Record<string, Row>> = {
  mem_limit: { member: 'Memory' },
  mem_reservation: { member: 'MemoryReservation' },
  memswap_limit: { member: 'MemorySwap' },
  cpus: { member: 'NanoCpus' },
  cpu_shares: { member: 'CpuShares' },
  cpu_quota: { member: 'CpuQuota', lift: -1, none: negative },
  cpu_period: { member: 'CpuPeriod' },
  cpuset: { member: 'CpusetCpus' },
  pids_limit: { member: 'PidsLimit', lift: -1, none: negative },
  'blkio_config.weight': { member: 'BlkioWeight', uncertain: true },
}

export interface LiveDifference {
  /** Those for which a new container is needed. */
  readonly forced: readonly Change[]
  /** Those for which it is not, and what is asked of the engine for them. */
  readonly changes: readonly Change[]
  readonly update: ContainerUpdate
}

export interface LimitOptions {
  /** Whether a limit has been what it should be since the container was made: then what is not there is what the machine lacks. */
  readonly made: (field: string) => boolean
  /** Whether the machine can limit swap; undefined: nobody knows. */
  readonly swap: boolean | undefined
}

export function limitDifference(wanted: Host, there: Host, { made, swap }: LimitOptions): LiveDifference {
  const forced: Change[] = []
  const changes: Change[] = []
  const update: Partial<Record<Member, unknown>> = {}
  for (const [field, row] of Object.entries(liveLimits)) {
    const to = field === 'memswap_limit' ? swapOf(wanted) : limitOf(wanted, row)
    const from = limitOf(there, row)
    if (to === from || (field === 'memswap_limit' && isUnlimitable(wanted, there, swap))) continue
    if (from === undefined && row.lift === undefined && made(field)) continue
    // what follows from the memory is told with it
    const follows = field === 'memswap_limit' && !wanted.MemorySwap && wanted.Memory !== there.Memory
    const told = follows ? [] : changeOf(field, wanted, there)
    const needsNew = row.uncertain ? !(from && to) : to === undefined && row.lift === undefined
    if (needsNew || clashes(row.member, to, there)) forced.push(...told)
    else {
      changes.push(...told)
      update[row.member] = to ?? row.lift
    }
  }
  const policy = policyOf(wanted)
  if (JSON.stringify(policy) !== JSON.stringify(policyOf(there))) {
    changes.push(...changeOf('restart', wanted, there))
    update.RestartPolicy = policy
  }
  return { forced, changes, update: update as ContainerUpdate }
}

function limitOf(host: Host, { member, none }: Row): string | number | undefined {
  const value = host[member] as string | number | null | undefined
  return !value || none?.(value) ? undefined : value
}

/** Twice the memory where nothing is said, as engines have it. */
function swapOf({ Memory, MemorySwap }: Host): number | undefined {
  return MemorySwap || (Memory ? Memory * 2 : undefined)
}

/** A machine that cannot limit swap has -1 there, whatever was asked for. */
function isUnlimitable(wanted: Host, there: Host, swap: boolean | undefined): boolean {
  return there.MemorySwap === -1 && (swap === undefined ? !wanted.MemorySwap : !swap)
}

/** Shares of CPUs are told in one way or in the other, and an engine does not change from one to the other. */
function clashes(member: Member, to: unknown, there: Host): boolean {
  if (to === undefined) return false
  if (member === 'NanoCpus') return (there.CpuQuota ?? 0) > 0 || (there.CpuPeriod ?? 0) > 0
  return (member === 'CpuQuota' || member === 'CpuPeriod') && (there.NanoCpus ?? 0) > 0
}

function policyOf({ RestartPolicy }: Host): { readonly Name: string; readonly MaximumRetryCount: number } {
  return { Name: RestartPolicy?.Name || 'no', MaximumRetryCount: RestartPolicy?.MaximumRetryCount ?? 0 }
}

function changeOf(field: string, wanted: Host, there: Host): readonly Change[] {
  const of = (host: Host) => fieldValue({ name: '', config: {}, host, endpoints: {} }, field)
  return valueChanges(field, of(there), of(wanted))
}
