/** Byte sizes and durations as Compose writes them, to numbers and back. */

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  p: 1024 ** 5,
}

/** Bytes of "64m", "1.5gb", "512kib", "1e6", "1 k"; undefined when it is no size. Units are powers of 1024, as in Compose. */
export function parseBytes(text: string): number | undefined {
  const match = /^\+?((?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text)
  if (!match) return undefined
  return Math.floor(Number(match[1]!.replaceAll('_', '')) * byteUnits[match[2]!.toLowerCase()]!)
}

/** 1536 → "1.5 KiB". */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let index = 0
  let value = bytes
  while (value >= 1024 && index < names.length - 1) {
    value /= 1024
    index++
  }
  return `${index === 0 ? value : Number(value.toPrecision(3))} ${names[index]}`
}

/** In powers of 1000 with three digits, as docker shows sizes of images and traffic: "1.98MB". */
export function decimalSize(bytes: number): string {
  return scaled(bytes, { base: 1000, names: ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'], digits: 3 })
}

/** In powers of 1024 with four digits, as docker shows memory: "23.54GiB". */
export function binarySize(bytes: number): string {
  return scaled(bytes, { base: 1024, names: ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'], digits: 4 })
}

function scaled(
  bytes: number,
  { base, names, digits }: { readonly base: number; readonly names: readonly string[]; readonly digits: number },
): string {
  let value = bytes
  let index = 0
  while (value >= base && index < names.length - 1) {
    value /= base
    index++
  }
  return `${Number(value.toPrecision(digits))}${names[index]}`
}

/** Nanoseconds of a unit that Go's time.ParseDuration knows. */
export const goNanos: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

const nanos: Readonly<Record<string, number>> = { ...goNanos, d: 86400e9, w: 604800e9 }

/** Nanoseconds of "1m30s", "1.5h", "100us", "2d"; "0" needs no unit; undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  const body = text.replace(/^[+-]/, '')
  if (body === '0') return 0
  const sign = text.startsWith('-') ? -1 : 1
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d|w))+$/.test(body)) return undefined
  let total = 0
  for (const [, value, unit] of body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)/g))
    total += Number(value) * nanos[unit!]!
  return total < 2 ** 63 ? sign * Math.round(total) : undefined
}

/** Nanoseconds in Go's form: 90e9 → "1m30s", 3600e9 → "1h0m0s", 1e5 → "100µs". */
export function formatDuration(ns: number): string {
  if (ns === 0) return '0s'
  const sign = ns < 0 ? '-' : ''
  const n = Math.abs(ns)
  if (n < 1e3) return `${sign}${n}ns`
  if (n < 1e6) return `${sign}${n / 1e3}µs`
  if (n < 1e9) return `${sign}${n / 1e6}ms`
  const hours = Math.floor(n / 3600e9)
  const minutes = Math.floor((n % 3600e9) / 60e9)
  const seconds = `${Number(((n % 60e9) / 1e9).toFixed(9))}s`
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : sign + seconds
}

/** How long ago, as a person says it and Docker prints it: "Less than a second", "4 seconds", "About an hour". */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < 60) return `${seconds} seconds`
  const minutes = Math.floor(seconds / 60)
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.round(minutes / 60)
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  const days = Math.floor(hours / 24)
  if (days < 14) return `${days} days`
  if (days < 60) return `${Math.floor(days / 7)} weeks`
  return days < 730 ? `${Math.floor(days / 30)} months` : `${Math.floor(days / 365)} years`
}
