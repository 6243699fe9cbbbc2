/** The options of driver syslog → where to send what to. */
import { statSync } from 'node:fs'
import { errnoOf } from '../../../lib/failure.ts'
import { attributeOptions, badOption, type LogDriver } from '../driver.ts'
import { checkAttributes, type LogOptions } from '../log-info.ts'
import { parseAddress, portOf, type Target } from './address.ts'

export const syslogFormats = ['', 'rfc3164', 'rfc5424', 'rfc5424micro'] as const
export type SyslogFormat = (typeof syslogFormats)[number]

export interface SyslogSettings {
  /** Undefined: the machine's own, wherever it listens. */
  readonly target: Target | undefined
  readonly facility: number
  readonly format: SyslogFormat
}

/** RFC 5424 section 6.2.1, by the names that syslog.h has. */
const facilities =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp 12 13 14 15 local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  )
const usualPort = '514'

export const syslog: LogDriver = {
  options: [
    'syslog-address',
    'syslog-facility',
    'syslog-format',
    'syslog-tls-ca-cert',
    'syslog-tls-cert',
    'syslog-tls-key',
    'syslog-tls-skip-verify',
    ...attributeOptions,
  ],
  unknown: option => `unknown log opt '${option}' for syslog log driver`,
  check: options => {
    const { target } = syslogSettings(options)
    if (target && 'path' in target) checkSocket(target.path)
    checkAttributes(options)
  },
}

/** @throws Failure `invalid` in the words of the real engine. */
export function syslogSettings(options: LogOptions): SyslogSettings {
  const target = targetOf(options)
  const facility = facilityOf(options['syslog-facility'] ?? '')
  const format = options['syslog-format'] ?? ''
  if (!isFormat(format)) throw badOption('Invalid syslog format')
  return { target, facility, format }
}

function isFormat(text: string): text is SyslogFormat {
  return (syslogFormats as readonly string[]).includes(text)
}

function facilityOf(text: string): number {
  if (text === '') return facilities.indexOf('daemon')
  const number = /^\d+$/.test(text) ? Number(text) : facilities.indexOf(text)
  if (number < 0 || number >= facilities.length) throw badOption('invalid syslog facility')
  return number
}

function targetOf(options: LogOptions): Target | undefined {
  const text = options['syslog-address'] ?? ''
  if (text === '') return undefined
  const { scheme, host, port, path } = parseAddress(text)
  const place = { host: host || 'localhost', port: portOf(port || usualPort) }
  switch (scheme) {
    case 'unix':
    case 'unixgram':
      return { kind: scheme, path }
    case 'udp':
    case 'tcp':
      return { kind: scheme, ...place }
    case 'tcp+tls':
      return {
        kind: 'tls',
        ...place,
        tls: {
          ca: options['syslog-tls-ca-cert'],
          cert: options['syslog-tls-cert'],
          key: options['syslog-tls-key'],
          // as with Docker: whatever it is set to
          skipVerify: options['syslog-tls-skip-verify'] !== undefined,
        },
      }
    default:
      throw badOption(`unsupported scheme: '${scheme}'`)
  }
}

function checkSocket(path: string): void {
  try {
    statSync(path)
  } catch (error) {
    throw badOption(`stat ${path}: ${errnoOf(error) === 'ENOENT' ? 'no such file or directory' : errnoOf(error)}`)
  }
}
