/** The drivers there are, and what is wrong with an option: told when a container is created. */
import { badOption, because, type LogDriver, parsed } from './driver.ts'
import { jsonFile, local } from './file-drivers.ts'
import { fluentd } from './forward/fluentd-options.ts'
import { gelf } from './forward/gelf-options.ts'
import { journald } from './forward/journald-options.ts'
import { syslog } from './forward/syslog-options.ts'
import { boolOf, parseBool, parseInteger, parseSize } from './go-values.ts'
import type { LogOptions } from './log-info.ts'

const forwarding = { fluentd, gelf, journald, syslog } as const satisfies Readonly<Record<string, LogDriver>>
const drivers: Readonly<Record<string, LogDriver>> = { ...forwarding, 'json-file': jsonFile, local }

/** Those that send to a server. */
export type ForwardingDriver = keyof typeof forwarding

export function isForwarded(driver: string): driver is ForwardingDriver {
  return Object.hasOwn(forwarding, driver)
}

/** Those whose options are known; `none` takes whatever it is given. */
export const logDrivers: readonly string[] = Object.keys(drivers).sort()

/** What any driver takes: how it is written, and what is kept for `logs` of drivers that send elsewhere. */
const common = ['mode', 'max-buffer-size', 'cache-disabled', 'cache-max-size', 'cache-max-file', 'cache-compress']

/** @throws Failure `invalid` in the words of the real engine, which finds most of this only when the container starts. */
export function checkLogOptions(driver: string, options: LogOptions): void {
  if (driver === 'none') return
  const { options: own, unknown, check } = drivers[driver]!
  checkMode(options)
  const cached = options['cache-disabled']
  if (cached !== undefined && boolOf(cached) === undefined)
    throw badOption(`invalid value for option cache-disabled: ${cached}`)
  const stranger = Object.keys(options).find(name => !common.includes(name) && !own.includes(name))
  if (stranger !== undefined) throw badOption(unknown(stranger))
  checkCache(options)
  check(options)
}

/** A log is written to a file by the container's monitor, which waits for nobody: both modes are the same, and no buffer is needed. */
function checkMode({ mode = '', 'max-buffer-size': buffer }: LogOptions): void {
  if (!['', 'blocking', 'non-blocking'].includes(mode)) throw badOption(`logger: logging mode not supported: ${mode}`)
  if (buffer === undefined) return
  if (mode !== 'non-blocking')
    throw badOption("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
  because('error parsing option max-buffer-size', () => parseSize(buffer))
}

function checkCache(options: LogOptions): void {
  const check = (name: string, parse: (text: string) => unknown) => {
    const value = options[name]
    if (value !== undefined) parsed(name, value, parse)
  }
  check('cache-max-size', parseSize)
  check('cache-max-file', parseInteger)
  check('cache-compress', parseBool)
}
