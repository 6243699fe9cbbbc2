/** Plain YAML scalars to values, by the mix of YAML 1.1 and 1.2 that Compose's parser reads; and numbers back to text. */

export interface Resolved {
  readonly value: string | number | boolean | null
  /** Set when `value` alone would print differently. */
  readonly text?: string
  readonly timestamp?: boolean
}

const words = new Map<string, Resolved>([
  ...['', '~', 'null', 'Null', 'NULL'].map(w => [w, { value: null }] as const),
  ...['true', 'True', 'TRUE'].map(w => [w, { value: true }] as const),
  ...['false', 'False', 'FALSE'].map(w => [w, { value: false }] as const),
  ...['.nan', '.NaN', '.NAN'].map(w => [w, { value: Number.NaN, text: 'NaN' }] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map(w => [w, { value: Infinity, text: '+Inf' }] as const),
  ...['-.inf', '-.Inf', '-.INF'].map(w => [w, { value: -Infinity, text: '-Inf' }] as const),
])

/** What an unquoted scalar means: 0755 is octal, 1_000 a number, yes and on are strings, 2024-01-02 a date. */
export function resolvePlain(text: string): Resolved {
  const word = words.get(text)
  if (word) return word
  const first = text.charCodeAt(0)
  const numeric = (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46
  if (!numeric) return { value: text }
  if (isTimestamp(text)) return { value: text, text, timestamp: true }
  const bare = first === 46 ? text : text.replaceAll('_', '')
  return resolveInteger(bare) ?? resolveFloat(bare) ?? { value: text }
}

function resolveInteger(text: string): Resolved | undefined {
  const match = /^([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(text)
  if (!match) return undefined
  const [, sign, hex, binary, octal, decimal] = match
  const digits = hex ? `0x${hex}` : binary ? `0b${binary}` : octal ? `0o${octal}` : decimal!
  let value = Number(digits)
  if (sign === '-') value = -value
  if (Number.isSafeInteger(value)) return { value: value === 0 ? 0 : value }
  const exact = BigInt(digits) * (sign === '-' ? -1n : 1n)
  if (exact >= -(2n ** 63n) && exact < 2n ** 64n) return { value, text: exact.toString() }
  return undefined
}

function resolveFloat(text: string): Resolved | undefined {
  if (!/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(text)) return undefined
  const value = Number(text)
  return Number.isFinite(value) ? { value, text: formatNumber(value) } : undefined
}

/** An unquoted date as Compose prints it: 2024-01-02 → 2024-01-02T00:00:00Z. */
export function formatTimestamp(text: string): string {
  const match =
    /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]| +)(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?(?: *(Z|[+-]\d{2}:\d{2}))?)?$/.exec(
      text,
    )
  if (!match) return text
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match
  const two = (digits: string) => digits.padStart(2, '0')
  const parts = fraction.replace(/\.?0+$/, '')
  return `${year}-${two(month!)}-${two(day!)}T${two(hour)}:${two(minute)}:${two(second)}${parts}${zone}`
}

function isTimestamp(text: string): boolean {
  return /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]| +)\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?: *(?:Z|[+-]\d{2}:\d{2}))?)?$/.test(
    text,
  )
}

/** A number with a fraction or exponent as Compose prints it where a string is wanted: 1.2, 1e+06, 1e-05. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa, exponent] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(value)
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}
