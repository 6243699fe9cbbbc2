/** Values of options as Go's strconv and Docker's units read them, and what is wrong with them in their words. Pure. */
import { Failure } from '../../lib/failure.ts'
import { parseBytes } from '../../lib/units.ts'

const invalid = (message: string): Failure => new Failure('invalid', message)

const truths: Readonly<Record<string, boolean>> = Object.fromEntries([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map(text => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map(text => [text, false] as const),
])

/** Undefined for what is neither. */
export function boolOf(text: string): boolean | undefined {
  return Object.hasOwn(truths, text) ? truths[text] : undefined
}

/** @throws Failure `invalid` as strconv.ParseBool tells it. */
export function parseBool(text: string): boolean {
  const value = boolOf(text)
  if (value === undefined) throw invalid(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
  return value
}

/** @throws Failure `invalid` as strconv.Atoi tells it. */
export function parseInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`)
  return value
}

/** Bytes. @throws Failure `invalid` as units.RAMInBytes tells it. */
export function parseSize(text: string): number {
  const bytes = parseBytes(text)
  if (bytes === undefined || !Number.isSafeInteger(bytes)) throw invalid(`invalid size: '${text}'`)
  return bytes
}
