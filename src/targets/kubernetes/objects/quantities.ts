/** Amounts as a cluster gives them back, so that what is there compares with what is wanted. */

const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const

/** Bytes in the largest unit that takes them whole: 67108864 → "64Mi". */
export function bytesQuantity(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value !== 0 && value % 1024 === 0 && unit < binary.length - 1) {
    value /= 1024
    unit++
  }
  return `${value}${binary[unit]}`
}

const decimal = ['', 'k', 'M', 'G', 'T', 'P'] as const

/** An amount that somebody has written, as a cluster writes it: "1024Mi" → "1Gi", "1.5Gi" → "1536Mi", "1000M" → "1G"; what is none, or none that is whole, as it stands. */
export function wholeQuantity(text: string): string {
  const [, digits = '', suffix = ''] = /^(\d+(?:\.\d+)?)([kMGTP]|[KMGTP]i)?$/.exec(text) ?? []
  const isBinary = suffix.endsWith('i')
  const units: readonly string[] = isBinary ? binary : decimal
  const base = isBinary ? 1024 : 1000
  const bytes = Number(digits) * base ** units.indexOf(suffix)
  if (digits === '' || !Number.isSafeInteger(bytes)) return text
  if (isBinary) return bytesQuantity(bytes)
  let [value, unit] = [bytes, 0]
  while (value !== 0 && value % 1000 === 0 && unit < decimal.length - 1) {
    value /= 1000
    unit++
  }
  return `${value}${decimal[unit]}`
}

/** CPUs: 0.5 → "500m", 2 → "2"; no finer than a thousandth, and never none. */
export function cpuQuantity(cpus: number): string {
  const millis = Math.max(1, Math.ceil(Number((cpus * 1000).toFixed(6))))
  return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`
}

/** Whole seconds of nanoseconds, no fewer than `least`. */
export function seconds(nanoseconds: number, least = 0): number {
  return Math.max(least, Math.ceil(nanoseconds / 1e9))
}
