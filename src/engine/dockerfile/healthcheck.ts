/** HEALTHCHECK's command and times. */
import { goNanos } from '../../lib/units.ts'
import { parseFlags } from './flags.ts'
import type { Healthcheck } from './instruction.ts'
import { invalid } from './source-failure.ts'
import type { StatementLine } from './statement-line.ts'
import { goQuote } from './text.ts'

const times = ['interval', 'timeout', 'start-period', 'start-interval'] as const

/** @throws Failure `invalid` in BuildKit's words. */
export function readHealthcheck({ args, json, flags: given }: StatementLine): Healthcheck {
  const [word, ...command] = args
  if (word === undefined) throw invalid('HEALTHCHECK requires at least one argument')
  const type = word.toUpperCase()
  if (type === 'NONE') {
    if (command.length > 0) throw invalid('HEALTHCHECK NONE takes no arguments')
    return { test: ['NONE'], interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 }
  }
  const flags = parseFlags(given, { ...Object.fromEntries(times.map(name => [name, 'text'])), retries: 'text' })
  if (type !== 'CMD') throw invalid(`Unknown type ${goQuote(type)} in HEALTHCHECK (try CMD)`)
  if (command.length === 0) throw invalid('Missing command after HEALTHCHECK CMD')
  const [interval, timeout, startPeriod, startInterval] = times.map(name => time(name, flags.text(name)))
  return {
    test: [json ? 'CMD' : 'CMD-SHELL', ...command],
    interval: interval!,
    timeout: timeout!,
    startPeriod: startPeriod!,
    startInterval: startInterval!,
    retries: retries(flags.text('retries')),
  }
}

function time(name: string, text: string | undefined): number {
  if (!text) return 0
  const value = parseGoDuration(text)
  if (value !== 0 && value < 1e6) throw invalid(`Interval ${goQuote(name)} cannot be less than 1ms`)
  return value
}

function retries(text: string | undefined): number {
  if (!text) return 0
  if (!/^[+-]?\d+$/.test(text)) throw invalid(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`)
  const value = Number(text)
  if (value >= 2 ** 31 || value < -(2 ** 31)) {
    throw invalid(`strconv.ParseInt: parsing ${goQuote(text)}: value out of range`)
  }
  if (value < 0) throw invalid(`--retries cannot be negative (${value})`)
  return value
}

/** Nanoseconds, as time.ParseDuration: days and weeks are none. @throws Failure `invalid` in Go's words. */
function parseGoDuration(text: string): number {
  const bad = (what: string) => invalid(`time: ${what} ${goQuote(text)}`)
  let rest = text.replace(/^[+-]/, '')
  const sign = text.startsWith('-') ? -1 : 1
  if (rest === '0') return 0
  if (rest === '') throw bad('invalid duration')
  let total = 0
  while (rest !== '') {
    const [all, number] = /^(\d+\.?\d*|\.\d+)/.exec(rest) ?? []
    if (all === undefined) throw bad('invalid duration')
    const unit = /^[^.\d]*/.exec(rest.slice(all.length))![0]
    if (unit === '') throw bad('missing unit in duration')
    if (!Object.hasOwn(goNanos, unit)) throw bad(`unknown unit ${goQuote(unit)} in duration`)
    total += Number(number) * goNanos[unit]!
    rest = rest.slice(all.length + unit.length)
  }
  if (total >= 2 ** 63) throw bad('invalid duration')
  return sign * Math.floor(total)
}
