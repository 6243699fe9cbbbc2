/** Points in time as docker's lists show them. */
import { humanDuration } from '../lib/units.ts'

/** "4 seconds ago". @param then milliseconds */
export function ago(then: number, now: number): string {
  return `${humanDuration(Math.max(0, now - then))} ago`
}

/** As Go prints a time: "2026-11-25 04:53:36 +0000 UTC". */
export function goTime(milliseconds: number): string {
  const date = new Date(milliseconds)
  const offset = -date.getTimezoneOffset()
  const two = (value: number) => String(value).padStart(2, '0')
  const local = new Date(milliseconds + offset * 60_000).toISOString()
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${zone} ${zoneName(date, offset)}`
}

function zoneName(date: Date, offset: number): string {
  if (offset === 0) return 'UTC'
  const parts = new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts(date)
  return parts.find(part => part.type === 'timeZoneName')?.value ?? ''
}
