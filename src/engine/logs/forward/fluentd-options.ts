/** The options of driver fluentd → where to send what to. Pure. */
import { parseDuration } from '../../../lib/units.ts'
import { attributeOptions, badOption, because, type LogDriver } from '../driver.ts'
import { parseBool, parseSize } from '../go-values.ts'
import { checkAttributes, type LogOptions } from '../log-info.ts'
import { parseAddress, portOf, type Target } from './address.ts'

type StreamTarget = Extract<Target, { readonly kind: 'tcp' | 'tls' | 'unix' }>

export interface FluentdSettings {
  readonly target: StreamTarget
  /** Started without a look whether somebody is there. */
  readonly async: boolean
  /** Every record is confirmed before the next. */
  readonly acknowledged: boolean
  readonly subSecond: boolean
}

const usualPort = '24224'
const [shortest, longest] = [100e6, 10e9]

export const fluentd: LogDriver = {
  options: [
    'fluentd-address',
    'fluentd-async',
    'fluentd-async-reconnect-interval',
    'fluentd-buffer-limit',
    'fluentd-max-retries',
    'fluentd-request-ack',
    'fluentd-retry-wait',
    'fluentd-sub-second-precision',
    'fluentd-write-timeout',
    ...attributeOptions,
  ],
  unknown: option => `unknown log opt '${option}' for fluentd log driver`,
  check: options => {
    fluentdSettings(options)
    checkAttributes(options)
  },
}

/** @throws Failure `invalid` in the words of the real engine. */
export function fluentdSettings(options: LogOptions): FluentdSettings {
  const flag = (name: string) => options[name] !== undefined && parseBool(options[name])
  const target = targetOf(options['fluentd-address'] ?? '')
  checkAmounts(options)
  return {
    target,
    async: flag('fluentd-async'),
    acknowledged: flag('fluentd-request-ack'),
    subSecond: flag('fluentd-sub-second-precision'),
  }
}

function targetOf(text: string): StreamTarget {
  if (text === '') return { kind: 'tcp', host: 'localhost', port: Number(usualPort) }
  return because(`invalid fluentd-address (${text})`, () => {
    const { scheme, host, port, path } = parseAddress(text.includes('://') ? text : `tcp://${text}`)
    if (scheme === 'unix') {
      if (path === '' || path === '/') throw badOption('path is empty')
      return { kind: 'unix', path }
    }
    if (scheme !== 'tcp' && scheme !== 'tls') throw badOption(`unsupported scheme: '${scheme}'`)
    if (path !== '') throw badOption('should not contain a path element')
    const place = { host: host || 'localhost', port: portOf(port || usualPort) }
    return scheme === 'tcp' ? { kind: 'tcp', ...place } : { kind: 'tls', ...place, tls: { skipVerify: false } }
  })
}

/** What waits, and for how long, is the forwarder's business: these are checked, and change nothing. */
function checkAmounts(options: LogOptions): void {
  const wait = options['fluentd-retry-wait']
  if (wait !== undefined) duration(wait)
  const retries = options['fluentd-max-retries']
  if (retries !== undefined && !/^\d+$/.test(retries))
    throw badOption(`strconv.ParseUint: parsing ${JSON.stringify(retries)}: invalid syntax`)
  const buffer = options['fluentd-buffer-limit']
  if (buffer !== undefined) parseSize(buffer)
  const interval = options['fluentd-async-reconnect-interval']
  if (interval !== undefined)
    because('invalid value for fluentd-async-reconnect-interval', () => {
      const ns = duration(interval)
      if (ns !== 0 && (ns < shortest || ns > longest))
        throw badOption(`value (${JSON.stringify(interval)}) must be between 100ms and 10s`)
    })
  const timeout = options['fluentd-write-timeout']
  if (timeout !== undefined)
    because('invalid value for fluentd-write-timeout', () => {
      if (because('value must be a duration', () => duration(timeout)) < 0)
        throw badOption('value must be a duration that is non-negative')
    })
}

function duration(text: string): number {
  const ns = /[dw]/.test(text) ? undefined : parseDuration(text)
  if (ns === undefined) throw badOption(`time: invalid duration ${JSON.stringify(text)}`)
  return ns
}
