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

/** CPUs: 0.5 → "500m", 2 → "2"; no finer than a thousandth, and never none. */
export function cpuQuantity(cpus: number): string {
  const millis = Math.max(1, Math.ceil(Number((cpus * 1000).toFixed(6))))
  return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`
}

/** Whole seconds of nanoseconds, no fewer than `least`. */
export function seconds(nanoseconds: number, least = 0): number {
  return Math.max(least, Math.ceil(nanoseconds / 1e9))
}
