/** A row of the HostConfig table: how one member is kept, what it is when nothing was asked, and what is checked. */
import { z } from 'zod'
import type { HostConfig as Asked } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import type { DeviceRate, LimitName, Limits } from '../../../runtime/parts/cgroup-limits.ts'
import type { LogDefaults } from '../../logs/log-defaults.ts'

/** What of this machine decides. */
export interface Machine {
  readonly cpus: number
  /** Set for this engine. */
  readonly logs: LogDefaults
  /** Of containers that do not say it; bytes. */
  readonly shmSize?: number | undefined
  /** Memory nodes. */
  readonly nodes: () => number
  /** Why a limit cannot be set here; undefined when it can. */
  readonly lacking: (limit: LimitName) => string | undefined
  /** Why no limit at all can be set: it is told of each, and none is an error. */
  readonly none?: string | undefined
  /** Who manages the groups: systemd takes none but slices as parents. Default "cgroupfs". */
  readonly cgroups?: 'cgroupfs' | 'systemd'
  /** What the machine lacks is an error instead of a warning. */
  readonly strict?: boolean
}

/** The member that is filled, and all that was asked for: some depend on others. */
export interface Whole {
  readonly name: string
  readonly asked: Asked
  readonly machine: Machine
  /** To be told to whoever creates or updates the container. */
  readonly warn: (text: string) => void
}

export type DeviceNumber = (path: string) => Omit<DeviceRate, 'value'>

export interface Row<A, K> {
  /** As it stands in the record and in inspect; a member that may be undefined is left out. */
  readonly kept: z.ZodType<K>
  /** Checked, and with its default. @throws Failure in Docker's words, or `unsupported` naming the member. */
  readonly fill: (asked: A | undefined, whole: Whole) => K
  /** What it limits. */
  readonly limits?: (kept: K, numbers: DeviceNumber) => Limits
  /** Whether `update` takes it, also of a running container. */
  readonly live?: boolean
}

type Fill<A, K> = Row<A, K>['fill']
type Check<T> = (value: T, whole: Whole) => void

const strings = z.array(z.string())

export const invalid = (message: string): Failure => new Failure('invalid', message)

export function text(unset = '', check: Check<string> = () => undefined): Row<string, string> {
  return {
    kept: z.string(),
    fill: (asked, whole) => {
      if (asked) check(asked, whole)
      return asked || unset
    },
  }
}

export function flag(): Row<boolean, boolean> {
  return { kept: z.boolean(), fill: asked => asked ?? false }
}

export function number(check: Check<number> = () => undefined, unset = 0): Row<number, number> {
  return {
    kept: z.number(),
    fill: (asked, whole) => {
      if (asked !== undefined) check(asked, whole)
      return asked || unset
    },
  }
}

/** Null when there is none, as Docker shows it. */
export function list(check: (items: readonly string[]) => readonly string[] = items => items) {
  const fill: Fill<readonly string[], string[] | null> = asked => (asked?.length ? [...check(asked)] : null)
  return { kept: strings.nullable(), fill }
}

/** Empty when there is none. */
export function plainList(): Row<readonly string[], string[]> {
  return { kept: strings, fill: asked => [...(asked ?? [])] }
}

/** Left out when there is none. */
export function map(check: Check<Readonly<Record<string, string>>> = () => undefined) {
  const fill: Fill<Readonly<Record<string, string>>, Record<string, string> | undefined> = (asked, whole) => {
    if (!asked || Object.keys(asked).length === 0) return undefined
    check(asked, whole)
    return { ...asked }
  }
  return { kept: z.record(z.string(), z.string()).optional(), fill }
}

const isUnset = (value: unknown) =>
  value === undefined ||
  value === '' ||
  value === 0 ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0)

/** A member that would change what runs and that is not honoured: an error that names it. */
export function refused<A, K>(kept: z.ZodType<K>, shown: { readonly as: K; readonly because: string }): Row<A, K> {
  return {
    kept,
    fill: (asked, { name }) => {
      if (!isUnset(asked))
        throw new Failure('unsupported', `Cannot honour HostConfig.${name} ${JSON.stringify(asked)}: ${shown.because}`)
      return shown.as
    },
  }
}

/** Of limits, -1 is none, and what is not switched on needs nothing. */
const asksForNone = (value: unknown) => isUnset(value) || value === -1 || value === false

/** A limit that `update` can change. What the machine lacks is told and left out, as by Docker. */
export function limit<A, K>(
  row: Row<A, K>,
  to: {
    readonly limits: (kept: K, numbers: DeviceNumber) => Limits
    /** Which one the machine must have, and Docker's words when it does not. */
    readonly needs: LimitName
    readonly discarded: string
    readonly live?: boolean
  },
): Row<A, K> {
  return {
    kept: row.kept,
    limits: to.limits,
    live: to.live ?? true,
    fill: (asked, whole) => {
      const lacking = asksForNone(asked) ? undefined : whole.machine.lacking(to.needs)
      if (lacking === undefined) return row.fill(asked, whole)
      if (whole.machine.strict && whole.machine.none === undefined)
        throw new Failure('unsupported', `Cannot set HostConfig.${whole.name}: ${lacking}`)
      // wrong is wrong on any machine
      row.fill(asked, whole)
      whole.warn(
        whole.machine.none === undefined ? to.discarded : `HostConfig.${whole.name} is not in force: ${lacking}`,
      )
      return row.fill(undefined, whole)
    },
  }
}
