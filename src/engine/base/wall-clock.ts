/** What the clock says, finer than Date's milliseconds. */

/** From what hrtime counts since, to the epoch. */
let offset = 0n

const millisecond = 1_000_000n

/**
 * Nanoseconds since the epoch: within the millisecond that `Date.now()` says, and never before an earlier answer unless the clock
 * was set back. Whatever is compared has to be asked of this: a moment that is cut to its millisecond is before what it comes after.
 */
export function wallClock(clock = { milliseconds: Date.now, nanoseconds: process.hrtime.bigint }): bigint {
  const first = BigInt(clock.milliseconds()) * millisecond
  const counted = clock.nanoseconds()
  if (counted + offset < first) offset = first - counted
  if (counted + offset >= first + millisecond) offset = first + millisecond - 1n - counted
  return counted + offset
}

/** "2026-11-29T19:08:45.994488365Z". */
export function wallTime(nanoseconds: bigint): string {
  const seconds = new Date(Number(nanoseconds / millisecond)).toISOString().slice(0, -'.000Z'.length)
  return `${seconds}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}Z`
}
