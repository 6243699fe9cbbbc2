/** `--since 42m` and `--until 2026-01-02T13:23:37Z` as nanoseconds since 1970. */
import { parseDuration } from '../lib/units.ts'
import { usage } from './options.ts'

/**
 * A point in time as docker's clients accept it: RFC 3339, a date, seconds since 1970, or a duration before `now` (ms).
 *
 * @throws Failure invalid
 */
export function parseTime(option: string, text: string | undefined, now: number): bigint | undefined {
  if (text === undefined) return undefined
  const seconds = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text)
  if (seconds) return BigInt(seconds[1]!) * 1_000_000_000n + BigInt((seconds[2] ?? '').padEnd(9, '0'))
  const duration = parseDuration(text)
  if (duration !== undefined) return BigInt(now) * 1_000_000n - BigInt(duration)
  const date = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (Number.isNaN(date))
    throw usage(
      `invalid value for "${option.slice(2)}": "${text}" is no time and no duration`,
      'Write a duration (42m) or a time (2026-01-02T13:23:37Z)',
    )
  return BigInt(date) * 1_000_000n
}
