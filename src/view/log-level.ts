/**
 * How grave a line of a log is, by the ways in which programs write it: JSON (`level`, `severity`, `lvl`, numbers as pino's), logfmt, a word in
 * brackets or in capitals near the start, klog's `E0102`, syslog's `<3>` (RFC 5424, 6.2.1). Pure.
 */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type LogLevel = (typeof logLevels)[number]

const words: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  verbose: 'trace',
  debug: 'debug',
  dbg: 'debug',
  info: 'info',
  information: 'info',
  inf: 'info',
  notice: 'info',
  log: 'info',
  warn: 'warn',
  warning: 'warn',
  wrn: 'warn',
  error: 'error',
  err: 'error',
  severe: 'error',
  fatal: 'fatal',
  critical: 'fatal',
  crit: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
  emergency: 'fatal',
  panic: 'fatal',
}

const syslog: readonly LogLevel[] = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug']
const klog: Readonly<Record<string, LogLevel>> = { I: 'info', W: 'warn', E: 'error', F: 'fatal' }
/** A level stands near the start: the time before it, a name perhaps. */
const near = 80
const longestJson = 64 * 1024

/** Undefined for a line that says none, such as one of a stack trace. */
export function levelOf(line: string): LogLevel | undefined {
  const text = line.replace(/\x1b\[[\d;]*m/g, '')
  if (text.startsWith('{')) return ofJson(text)
  const numbered = /^<(\d{1,3})>/.exec(text)
  if (numbered) return syslog[Number(numbered[1]) % 8]
  const glog = /^([IWEF])\d{4} \d\d:\d\d:\d\d/.exec(text)
  if (glog) return klog[glog[1]!]
  const field = /(?:^|[\s,])(?:level|lvl|severity)=["']?([a-z]+)/i.exec(text.slice(0, 4 * near))
  if (field) return words[field[1]!.toLowerCase()]
  const start = text.slice(0, near)
  for (const [, bracketed, capital] of start.matchAll(
    /[[(]\s*([A-Za-z]+)\s*[\])]|(?<![\w/.-])([A-Z]{3,11})(?![\w/.-])/g,
  )) {
    const level = words[(bracketed ?? capital)!.toLowerCase()]
    if (level !== undefined) return level
  }
  const first = /^(?:[\d:.,TZ/+ -]*)([A-Za-z]+):/.exec(start)
  return first ? words[first[1]!.toLowerCase()] : undefined
}

function ofJson(text: string): LogLevel | undefined {
  if (text.length > longestJson) return undefined
  let data: Readonly<Record<string, unknown>>
  try {
    data = JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    // it only began like JSON
    return undefined
  }
  const value = data['level'] ?? data['severity'] ?? data['lvl'] ?? data['log.level'] ?? data['@l']
  if (typeof value === 'string') return words[value.toLowerCase()]
  if (typeof value !== 'number') return undefined
  // pino and bunyan: 10 trace, 20 debug … 60 fatal
  return logLevels[Math.min(Math.max(Math.floor(value / 10) - 1, 0), logLevels.length - 1)]
}

export function isAtLeast(level: LogLevel, least: LogLevel): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf(least)
}

export function isLevel(text: string): text is LogLevel {
  return logLevels.some(level => level === text)
}
