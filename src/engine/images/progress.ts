/** Progress lines of pull, push, load and import, as Docker's clients draw them. */

export interface ProgressLine {
  readonly status?: string
  readonly stream?: string
  /** The layer's short id, or the tag in "Pulling from". */
  readonly id?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
  /** The bar as text. */
  readonly progress?: string
  /** For programs: what a push has made. */
  readonly aux?: Readonly<Record<string, unknown>>
}

export type OnProgress = (line: ProgressLine) => void

const width = 50
/** Between two progress lines of a layer, ms. */
const interval = 100

/** `{ status: "Downloading", progressDetail, progress: "[====>   ]  1.2kB/5MB", id }`. */
export function barLine(status: string, id: string, current: number, total: number): ProgressLine {
  return { status, progressDetail: { current, total }, progress: bar(current, total), id }
}

function bar(current: number, total: number): string {
  if (total <= 0 || current > total) return size(current).padStart(8)
  const done = Math.min(width, Math.floor((current / total) * width))
  const line = done === width ? `${'='.repeat(width)}>` : `${'='.repeat(done)}>${' '.repeat(width - done)}`
  return `[${line}] ${size(current).padStart(8)}/${size(total)}`
}

/** Powers of 1000, four significant digits, as Docker prints them: 269.3kB, 24MB. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let index = 0
  while (value >= 1000 && index < units.length - 1) {
    value /= 1000
    index++
  }
  return `${Number(value.toPrecision(4))}${units[index]}`
}

/** Calls through at most every `interval`, and the first time. */
export function throttled(report: (current: number) => void): (current: number) => void {
  let last = Number.NEGATIVE_INFINITY
  return current => {
    const now = performance.now()
    if (now - last < interval) return
    last = now
    report(current)
  }
}
