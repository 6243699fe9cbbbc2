/** A log driver as far as its options go, and the words in which what is wrong with one is told. */
import { Failure, isFailure } from '../../lib/failure.ts'
import type { LogOptions } from './log-info.ts'

export interface LogDriver {
  /** Options of its own, beside those that every driver takes. */
  readonly options: readonly string[]
  /** How the real engine tells of one that it does not take. */
  readonly unknown: (option: string) => string
  /** @throws Failure `invalid`. */
  readonly check: (options: LogOptions) => void
}

/** What a driver knows of labels and variables. */
export const attributeOptions = ['labels', 'labels-regex', 'env', 'env-regex', 'tag'] as const

export const badOption = (message: string): Failure => new Failure('invalid', message)

/** @throws Failure `invalid` that names option and value before what `parse` says. */
export function parsed<T>(name: string, value: string, parse: (text: string) => T): T {
  return because(`invalid value for ${name}: ${value}`, () => parse(value))
}

/** @throws Failure `invalid`: `what`, and what `parse` says. */
export function because<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!isFailure(error)) throw error
    throw new Failure('invalid', `${what}: ${error.message}`, { cause: error })
  }
}
