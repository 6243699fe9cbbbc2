/** What holds for containers that say nothing of their log, or not all. */
import { Failure, isFailure } from '../../lib/failure.ts'
import type { LogOptions } from './log-info.ts'
import { checkLogOptions, logDrivers } from './log-options.ts'

export interface LogDefaults {
  /** Of containers that name no driver. */
  readonly driver: string
  /** Of containers with that driver, named or not; theirs come first. Shown by `inspect` as if they had asked for them. */
  readonly options: LogOptions
}

export const usualLog: LogDefaults = { driver: 'json-file', options: {} }

/**
 * What a json-file log has when neither container nor engine speaks of its size: 30 MB, and no disk is filled by a container that talks
 * all day. Not shown by `inspect`, whose readers expect what they asked for.
 */
export const usualRotation = { size: '10m', files: '3' }

/** Whether there is such a driver at all. */
export function isLogDriver(name: string): boolean {
  return name === 'none' || logDrivers.includes(name)
}

/** @throws Failure `invalid` for a driver that is not there, or options that it does not take. */
export function checkLogDefaults({ driver, options }: LogDefaults): void {
  if (!isLogDriver(driver))
    throw new Failure('invalid', `Cannot log with driver "${driver}": it should be ${logDrivers.join(', ')} or none`)
  try {
    checkLogOptions(driver, options)
  } catch (cause) {
    if (!isFailure(cause)) throw cause
    throw new Failure('invalid', `Cannot log with driver "${driver}" and the options given: ${cause.message}`, {
      cause,
    })
  }
}
