/** The rows of HostConfig that limit what a container uses. */
import { z } from 'zod'
import type { Resources } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import type { LimitName } from '../../../runtime/parts/cgroup-limits.ts'
import { isSlice } from '../../../runtime/parts/systemd-scope.ts'
import { deviceRows } from './device-rows.ts'
import { invalid, limit, number, type Row, refused, text, type Whole } from './host-config-row.ts'

const leastMemory = 6 * 1024 ** 2
const rateSchema = z.array(z.object({ Path: z.string(), Rate: z.number() }))
const weightSchema = z.array(z.object({ Path: z.string(), Weight: z.number() }))

const some = (value: number): number | undefined => (value === 0 ? undefined : value)
const unsupported = (what: string) => `Your kernel does not support ${what} or the cgroup is not mounted.` as const
const scheduler = 'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.'

/** MemorySwap is twice the memory unless it is given. */
function memorySwap(asked: number | undefined, { asked: { Memory: memory = 0 }, machine }: Whole): number {
  const swap = asked ?? 0
  if (swap > 0 && memory === 0)
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage')
  if (swap > 0 && swap < memory) throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage')
  // nobody has asked for what follows from another limit, so that a machine without it is not told of
  return memory > 0 && swap === 0 && machine.lacking('memorySwap') === undefined ? memory * 2 : swap
}

function memoryReservation(value: number, { asked: { Memory: memory = 0 } }: Whole): void {
  if (value !== 0 && value < leastMemory) throw invalid('Minimum memory reservation allowed is 6MB')
  if (memory > 0 && value > memory)
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage')
}

function nanoCpus(nano: number, { asked: { CpuPeriod: period = 0, CpuQuota: quota = 0 }, machine }: Whole) {
  if (nano === 0) return
  const { cpus } = machine
  if (machine.none === undefined && machine.lacking('cpuQuota') !== undefined)
    throw invalid(
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    )
  if (period > 0) throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set')
  if (quota > 0) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set')
  if (nano < 0 || nano > cpus * 1e9)
    throw invalid(`range of CPUs is from 0.01 to ${cpus.toFixed(2)}, as there are only ${cpus} CPUs available`)
}

/** "0-2,7" → its numbers; undefined when it is no such list. */
function numbersOf(text: string): number[] | undefined {
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) return undefined
  return text.split(',').flatMap(part => {
    const [from = 0, to = from] = part.split('-').map(Number)
    return to - from > 8192 ? [to] : Array.from({ length: to - from + 1 }, (_, i) => from + i)
  })
}

function cpuset(
  what: string,
  of: (machine: Whole['machine']) => { readonly highest: number; readonly called: string },
) {
  return text('', (asked, { machine }) => {
    const numbers = numbersOf(asked)
    if (!numbers) throw invalid(`Invalid value ${asked} for cpuset ${what}: invalid format: ${asked}`)
    const { highest, called } = of(machine)
    if (numbers.some(number => number > highest))
      throw invalid(
        `Requested ${called} are not available - requested ${asked}, available: ${highest > 0 ? `0-${highest}` : '0'}`,
      )
  })
}

/** Only a memory limit makes it safe to switch the killer off. */
const oomKillDisable: Row<boolean, boolean> = {
  kept: z.boolean(),
  fill: (asked = false, whole) => {
    if (asked && !whole.asked.Memory)
      whole.warn(
        'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
      )
    return asked
  },
}

const swappiness: Row<number, number | null> = {
  kept: z.number().nullable(),
  fill: asked => {
    if (asked !== undefined && (asked < -1 || asked > 100))
      throw invalid(`Invalid value: ${asked}, valid memory swappiness range is 0-100`)
    return asked !== undefined && asked >= 0 ? asked : null
  },
}

function throttle(
  needs: Extract<LimitName, 'readBps' | 'writeBps' | 'readIops' | 'writeIops'>,
  discarded: string,
): Row<readonly { readonly Path: string; readonly Rate: number }[], z.output<typeof rateSchema>> {
  const row: Row<readonly { readonly Path: string; readonly Rate: number }[], z.output<typeof rateSchema>> = {
    kept: rateSchema,
    fill: asked => [...(asked ?? [])],
  }
  return limit(row, {
    needs,
    discarded,
    live: false,
    limits: (rates, numbers) =>
      rates.length === 0 ? {} : { [needs]: rates.map(({ Path, Rate }) => ({ ...numbers(Path), value: Rate })) },
  })
}

function weightRange(weight: number): void {
  if (weight !== 0 && (weight < 10 || weight > 1000)) throw invalid('Range of blkio weight is from 10 to 1000')
}

type Weights = NonNullable<Resources['BlkioWeightDevice']>
const weights: Row<Weights, z.output<typeof weightSchema>> = {
  kept: weightSchema,
  fill: asked => {
    for (const { Weight } of asked ?? []) weightRange(Weight)
    return [...(asked ?? [])]
  },
}

/** For members of other systems: told and left out, as by Docker. */
function foreign(discarded: string) {
  return {
    ...number(),
    fill: (asked: number | undefined, { warn }: Whole) => {
      if (asked) warn(discarded)
      return 0
    },
  }
}

/** What the machine lacks is an error, as with Docker: whoever asks for it would not run in time without. */
function realtime(needs: 'cpuRealtimePeriod' | 'cpuRealtimeRuntime'): Row<number, number> {
  return {
    kept: z.number(),
    live: true,
    limits: value => ({ [needs]: some(value) }),
    fill: (asked = 0, { name, asked: all, machine }) => {
      if (asked === 0) return 0
      const lacking = machine.lacking(needs)
      if (lacking !== undefined)
        throw new Failure('unsupported', `Cannot honour HostConfig.${name} ${asked}: ${lacking}`)
      if (asked < 0) throw invalid(`invalid CPU real-time value (${asked}): value must be a positive integer`)
      const { CpuRealtimePeriod: period = 0, CpuRealtimeRuntime: runtime = 0 } = all
      if (period !== 0 && runtime > period)
        throw invalid('cpu real-time runtime cannot be higher than cpu real-time period')
      return asked
    },
  }
}

export const resourceRows = {
  CpuShares: limit(
    number(shares => {
      if (shares < 0) throw invalid(`invalid CPU shares (${shares}): value must be a positive integer`)
    }),
    {
      limits: shares => ({ cpuShares: some(shares) }),
      needs: 'cpuShares',
      discarded: `${unsupported('CPU shares')} Shares discarded.`,
    },
  ),
  Memory: limit(
    number(memory => {
      if (memory !== 0 && memory < leastMemory) throw invalid('Minimum memory limit allowed is 6MB')
    }),
    {
      limits: memory => ({ memory: some(memory) }),
      needs: 'memory',
      discarded: `${unsupported('memory limit capabilities')} Limitation discarded.`,
    },
  ),
  NanoCpus: limit(number(nanoCpus), {
    limits: nano => (nano > 0 ? { cpuQuota: Math.round(nano / 10_000), cpuPeriod: 100_000 } : {}),
    needs: 'cpuQuota',
    discarded: scheduler,
  }),
  CgroupParent: text('', (parent, { machine }) => {
    if (machine.cgroups === 'systemd' && !isSlice(parent))
      throw invalid('cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"')
  }),
  BlkioWeight: limit(number(weightRange), {
    limits: weight => ({ blkioWeight: some(weight) }),
    needs: 'blkioWeight',
    discarded: `${unsupported('Block I/O weight')} Weight discarded.`,
  }),
  BlkioWeightDevice: limit(weights, {
    limits: (list, numbers) =>
      list.length === 0
        ? {}
        : { blkioWeightDevice: list.map(({ Path, Weight }) => ({ ...numbers(Path), value: Weight })) },
    needs: 'blkioWeightDevice',
    discarded: `${unsupported('Block I/O weight_device')} Weight-device discarded.`,
    live: false,
  }),
  BlkioDeviceReadBps: throttle(
    'readBps',
    `${unsupported('BPS Block I/O read limit')} Block I/O BPS read limit discarded.`,
  ),
  BlkioDeviceWriteBps: throttle(
    'writeBps',
    `${unsupported('BPS Block I/O write limit')} Block I/O BPS write limit discarded.`,
  ),
  BlkioDeviceReadIOps: throttle(
    'readIops',
    `${unsupported('IOPS Block read limit')} Block I/O IOPS read limit discarded.`,
  ),
  BlkioDeviceWriteIOps: throttle(
    'writeIops',
    `${unsupported('IOPS Block write limit')} Block I/O IOPS write limit discarded.`,
  ),
  CpuPeriod: limit(
    number(period => {
      if (period !== 0 && (period < 1000 || period > 1_000_000))
        throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)')
    }),
    { limits: period => ({ cpuPeriod: some(period) }), needs: 'cpuPeriod', discarded: scheduler },
  ),
  CpuQuota: limit(
    number(quota => {
      if (quota > 0 && quota < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)')
    }),
    { limits: quota => ({ cpuQuota: some(quota) }), needs: 'cpuQuota', discarded: scheduler },
  ),
  CpuRealtimePeriod: realtime('cpuRealtimePeriod'),
  CpuRealtimeRuntime: realtime('cpuRealtimeRuntime'),
  CpusetCpus: limit(
    cpuset('cpus', ({ cpus }) => ({ highest: cpus - 1, called: 'CPUs' })),
    {
      limits: cpus => ({ cpusetCpus: cpus || undefined }),
      needs: 'cpusetCpus',
      discarded: `${unsupported('cpuset')} CPUset discarded.`,
    },
  ),
  CpusetMems: limit(
    cpuset('mems', ({ nodes }) => ({ highest: nodes() - 1, called: 'memory nodes' })),
    {
      limits: mems => ({ cpusetMems: mems || undefined }),
      needs: 'cpusetMems',
      discarded: `${unsupported('cpuset')} CPUset discarded.`,
    },
  ),
  ...deviceRows,
  KernelMemory: refused(z.undefined().optional(), { as: undefined, because: 'the kernel has given up such limits' }),
  KernelMemoryTCP: refused(z.undefined().optional(), { as: undefined, because: 'the kernel has given up such limits' }),
  MemoryReservation: limit(number(memoryReservation), {
    limits: reservation => ({ memoryReservation: some(reservation) }),
    needs: 'memoryReservation',
    discarded: `${unsupported('memory soft limit capabilities')} Limitation discarded.`,
  }),
  MemorySwap: limit(
    { kept: z.number(), fill: memorySwap },
    {
      limits: swap => ({ memorySwap: some(swap) }),
      needs: 'memorySwap',
      discarded: `${unsupported('swap limit capabilities')} Memory limited without swap.`,
    },
  ),
  MemorySwappiness: limit(swappiness, {
    limits: value => ({ memorySwappiness: value ?? undefined }),
    needs: 'memorySwappiness',
    discarded: `${unsupported('memory swappiness capabilities')} Memory swappiness discarded.`,
    live: false,
  }),
  OomKillDisable: limit(oomKillDisable, {
    limits: disable => (disable ? { oomKillDisable: 1 } : {}),
    needs: 'oomKillDisable',
    discarded: 'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
    live: false,
  }),
  PidsLimit: limit(
    {
      kept: z.number().nullable(),
      fill: (asked: number | undefined): number | null => (asked !== undefined && asked > 0 ? asked : null),
    },
    {
      limits: pids => ({ pids: some(pids ?? 0) }),
      needs: 'pids',
      discarded: `${unsupported('PIDs limit capabilities')} PIDs limit discarded.`,
    },
  ),
  CpuCount: foreign('linux does not support CPU count. Count discarded.'),
  CpuPercent: foreign('linux does not support CPU percent. Percent discarded.'),
  IOMaximumIOps: number(value => {
    if (value !== 0) throw invalid('invalid option: QoS maximum IOPs configuration is not supported on linux')
  }),
  IOMaximumBandwidth: number(value => {
    if (value !== 0) throw invalid('invalid option: QoS maximum bandwidth configuration is not supported on linux')
  }),
}
