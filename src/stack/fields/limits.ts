/** Memory, CPU, I/O and process limits at the level of the service. */
import { bool, bytes, float, int, listOf, object, type Shape, text } from '../grammar.ts'
import { between, cfsQuota, cpus, leastMemory } from './values.ts'

const rate = (what: string) =>
  listOf(
    object({ path: text('The device.'), rate: bytes(what, { quoted: true, whole: true }) }, undefined, {
      extensions: false,
    }),
    `${what}, by device.`,
  )

export const limits: Readonly<Record<string, Shape>> = {
  blkio_config: object(
    {
      weight: int('Share of the disk, 10 to 1000.', {
        strict: true,
        min: 0,
        max: 65535,
        judge: between(10, 1000, 0),
      }),
      weight_device: listOf(
        object(
          {
            path: text('The device.'),
            weight: int('Share.', { strict: true, min: 0, max: 65535, judge: between(10, 1000) }),
          },
          undefined,
          {
            extensions: false,
          },
        ),
        'Shares, by device.',
      ),
      device_read_bps: rate('Bytes read in a second'),
      device_read_iops: rate('Reads in a second'),
      device_write_bps: rate('Bytes written in a second'),
      device_write_iops: rate('Writes in a second'),
    },
    'Shares and limits of block devices.',
    { extensions: false },
  ),
  cpu_count: int('For Windows.', { min: 0 }),
  cpu_percent: int('For Windows.', { min: 0, max: 100 }),
  cpu_shares: int('Weight against others, 1024 is usual.', {
    loose: true,
    judge: between(0, Number.POSITIVE_INFINITY),
  }),
  cpu_quota: int('Microseconds of CPU in a period.', { loose: true, judge: cfsQuota }),
  cpu_period: int('Length of the period in microseconds.', { loose: true, judge: between(1000, 1_000_000, 0) }),
  cpu_rt_period: int('Realtime period in microseconds.', { loose: true }),
  cpu_rt_runtime: int('Realtime microseconds in a period.', { loose: true }),
  cpus: float('CPUs at most, 0.5 is half of one.', { judge: between(0, Number.POSITIVE_INFINITY) }),
  cpuset: text('The CPUs it may use: "0-2" or "0,1".', { judge: cpus }),
  mem_limit: bytes('Memory at most.', { quoted: true, judge: leastMemory }),
  mem_reservation: bytes('Memory to leave it when there is little.', {
    quoted: true,
    whole: true,
    judge: leastMemory,
  }),
  mem_swappiness: bytes('How readily its memory is swapped, 0 to 100.', {
    quoted: true,
    whole: true,
    judge: between(-1, 100),
  }),
  memswap_limit: bytes('Memory and swap together; -1: no limit.', { quoted: true }),
  oom_kill_disable: bool('Do not kill it when memory runs out.'),
  oom_score_adj: int('How likely it is killed then, -1000 to 1000.', { min: -1000, max: 1000 }),
  pids_limit: int('Processes at most.', { loose: true }),
  shm_size: bytes('Size of /dev/shm.', { quoted: true, judge: between(0, Number.POSITIVE_INFINITY) }),
}
