/** The options of driver gelf → where to send what to. Pure. */
import { attributeOptions, badOption, type LogDriver } from '../driver.ts'
import { checkAttributes, type LogOptions } from '../log-info.ts'
import { parseAddress, portOf, type Target } from './address.ts'

export interface GelfSettings {
  readonly target: Extract<Target, { readonly kind: 'udp' | 'tcp' }>
  /** Of datagrams alone. */
  readonly compression: { readonly type: 'gzip' | 'zlib' | 'none'; readonly level: number }
}

const fastest = 1

export const gelf: LogDriver = {
  options: [
    'gelf-address',
    'gelf-compression-type',
    'gelf-compression-level',
    'gelf-tcp-max-reconnect',
    'gelf-tcp-reconnect-delay',
    ...attributeOptions,
  ],
  unknown: option => `unknown log opt ${JSON.stringify(option)} for gelf log driver`,
  check: options => {
    gelfSettings(options)
    checkAttributes(options)
  },
}

/** @throws Failure `invalid` in the words of the real engine. */
export function gelfSettings(options: LogOptions): GelfSettings {
  const text = options['gelf-address'] ?? ''
  if (text === '') throw badOption('gelf-address is a required parameter')
  const { scheme, host, port } = parseAddress(text)
  if (scheme !== 'udp' && scheme !== 'tcp') throw badOption('gelf: endpoint needs to be TCP or UDP')
  if (port === '') throw badOption('gelf: please provide gelf-address as proto://host:port')
  const target: GelfSettings['target'] = { kind: scheme, host: host || 'localhost', port: portOf(port) }
  const unknown = (name: string) =>
    badOption(`unknown value ${JSON.stringify(options[name])} for log opt "${name}" for gelf log driver`)
  const { 'gelf-compression-type': type = 'gzip', 'gelf-compression-level': level = String(fastest) } = options
  if (scheme === 'tcp' && (options['gelf-compression-type'] ?? options['gelf-compression-level']) !== undefined)
    throw badOption('compression is only supported on UDP')
  if (type !== 'gzip' && type !== 'zlib' && type !== 'none') throw unknown('gelf-compression-type')
  if (!/^(-1|\d)$/.test(level)) throw unknown('gelf-compression-level')
  for (const name of ['gelf-tcp-max-reconnect', 'gelf-tcp-reconnect-delay']) {
    const value = options[name]
    if (value === undefined) continue
    if (scheme === 'udp') throw badOption(`"${name}" is only valid for TCP`)
    if (!/^\+?\d+$/.test(value)) throw badOption(`"${name}" must be a positive integer`)
  }
  return { target, compression: { type, level: Number(level) } }
}
