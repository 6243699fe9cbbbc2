/** A message → a line of syslog, as RFC 3164 and RFC 5424 write it and as Docker fills them in. Pure. */
import { timestamp } from '../records.ts'
import type { LogMessage } from './message.ts'
import type { SyslogFormat } from './syslog-options.ts'

export interface SyslogSource {
  readonly format: SyslogFormat
  readonly facility: number
  readonly hostname: string
  readonly tag: string
  readonly pid: number
  /** Each message with its length before it: RFC 5425. */
  readonly framed: boolean
}

const errors = 3
const informational = 6
const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

export function syslogLine({ stream, text, time }: LogMessage, source: SyslogSource): string {
  const { facility, hostname, tag, pid, framed } = source
  const priority = `<${facility * 8 + (stream === 'stderr' ? errors : informational)}>`
  const content = text.endsWith('\n') ? text : `${text}\n`
  switch (source.format) {
    case '':
      return `${priority}${oldTime(time)} ${tag}[${pid}]: ${content}`
    case 'rfc3164':
      return `${priority}${oldTime(time)} ${hostname} ${tag}[${pid}]: ${content}`
    case 'rfc5424':
    case 'rfc5424micro': {
      const decimals = source.format === 'rfc5424' ? 0 : 6
      const line = `${priority}1 ${newTime(time, decimals)} ${hostname} ${tag} ${pid} ${tag} - ${content}`
      return framed ? `${Buffer.byteLength(line)} ${line}` : line
    }
    default:
      return source.format satisfies never
  }
}

/** "Nov  8 23:44:09", by the clock on the wall. */
function oldTime(time: string): string {
  const date = new Date(time)
  const two = (number: number) => String(number).padStart(2, '0')
  const day = String(date.getDate()).padStart(2)
  return `${months[date.getMonth()]} ${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** "2026-11-28T23:44:14.108516Z". */
function newTime(time: string, decimals: number): string {
  const exact = timestamp(time)
  return decimals === 0 ? `${exact.slice(0, 19)}Z` : `${exact.slice(0, 20 + decimals)}Z`
}
