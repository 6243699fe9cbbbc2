/** The drivers there are, which options each takes, and what is wrong with one: told when a container is created. Pure. */
import { Failure, isFailure } from '../../lib/failure.ts'
import { boolOf, parseBool, parseInteger, parseSize } from './go-values.ts'
import { checkAttributes, type LogOptions } from './log-info.ts'

interface Driver {
  /** Options of its own, beside those that every driver takes. */
  readonly options: readonly string[]
  /** How the real engine tells of one that it does not take. */
  readonly unknown: (option: string) => string
  /** @throws Failure `invalid`. */
  readonly check: (options: LogOptions) => void
}

const invalid = (message: string): Failure => new Failure('invalid', message)

/** What any driver takes: how it is written, and what is kept for `logs` of drivers that send elsewhere. */
const common = ['mode', 'max-buffer-size', 'cache-disabled', 'cache-max-size', 'cache-max-file', 'cache-compress']
const attributes = ['labels', 'labels-regex', 'env', 'env-regex', 'tag']

const drivers: Readonly<Record<string, Driver>> = {
  'json-file': {
    options: ['max-size', 'max-file', 'compress', ...attributes],
    unknown: option => `unknown log opt '${option}' for json-file log driver`,
    check: options => {
      const { 'max-size': size, 'max-file': files, compress } = options
      const unlimited = size === undefined || size === '-1'
      if (!unlimited && parseSize(size) <= 0) throw invalid('max-size must be a positive number')
      if (files !== undefined && parseInteger(files) < 1) throw invalid('max-file cannot be less than 1')
      if (compress !== undefined && parseBool(compress) && (unlimited || Number(files ?? 1) < 2))
        throw invalid('compress cannot be true when max-file is less than 2 or max-size is not set')
      if (compress !== undefined && parseBool(compress))
        throw new Failure('unsupported', 'Cannot honour log option "compress": rotated files stay as they are')
      checkAttributes(options)
    },
  },
  local: {
    options: ['max-size', 'max-file', 'compress'],
    unknown: option => `unknown log opt '${option}' for log driver local`,
    check: options => {
      const { 'max-size': size, 'max-file': files, compress } = options
      if (size !== undefined) parsed('max-size', size, parseSize)
      const count = files === undefined ? undefined : parsed('max-file', files, parseInteger)
      if (count !== undefined && count < 0) throw invalid('max file count cannot be less than 0')
      const compressed =
        compress === undefined || because('error reading compress log option', () => parseBool(compress))
      if (compressed && count !== undefined && count <= 1)
        throw invalid('compression cannot be enabled when max file count is 1')
    },
  },
}

/** Those whose options are known; `none` takes whatever it is given. */
export const logDrivers: readonly string[] = Object.keys(drivers)

/** @throws Failure `invalid` in the words of the real engine, which finds most of this only when the container starts. */
export function checkLogOptions(driver: string, options: LogOptions): void {
  if (driver === 'none') return
  const { options: own, unknown, check } = drivers[driver]!
  checkMode(options)
  const cached = options['cache-disabled']
  if (cached !== undefined && boolOf(cached) === undefined)
    throw invalid(`invalid value for option cache-disabled: ${cached}`)
  const stranger = Object.keys(options).find(name => !common.includes(name) && !own.includes(name))
  if (stranger !== undefined) throw invalid(unknown(stranger))
  checkCache(options)
  check(options)
}

/** A log is written to a file by the container's monitor, which waits for nobody: both modes are the same, and no buffer is needed. */
function checkMode({ mode = '', 'max-buffer-size': buffer }: LogOptions): void {
  if (!['', 'blocking', 'non-blocking'].includes(mode)) throw invalid(`logger: logging mode not supported: ${mode}`)
  if (buffer === undefined) return
  if (mode !== 'non-blocking')
    throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
  because('error parsing option max-buffer-size', () => parseSize(buffer))
}

function checkCache(options: LogOptions): void {
  const check = (name: string, parse: (text: string) => unknown) => {
    const value = options[`cache-${name}`]
    if (value !== undefined) parsed(`cache-${name}`, value, parse)
  }
  check('max-size', parseSize)
  check('max-file', parseInteger)
  check('compress', parseBool)
}

function parsed<T>(name: string, value: string, parse: (text: string) => T): T {
  return because(`invalid value for ${name}: ${value}`, () => parse(value))
}

function because<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!isFailure(error)) throw error
    throw new Failure('invalid', `${what}: ${error.message}`, { cause: error })
  }
}
