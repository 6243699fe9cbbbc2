/** Rows of a history: what an apply was, in a line. */
import { type Row, rowText } from '../plan/summary.ts'

/** "~ web: recreate (environment.TAG one→two), + db: create (no container for replica 1), 3 more". */
export function changesInWords(changes: readonly Row[]): string {
  const services = changes.filter(({ kind }) => kind === 'service')
  const shown = [...services, ...changes.filter(({ kind }) => kind !== 'service')].slice(0, 2).map(inWords)
  const left = changes.length - shown.length
  return [...shown, ...(left > 0 ? [`${left} more`] : [])].join(', ')
}

/** The cause, which a table sets apart by blanks, in brackets. */
function inWords(row: Row): string {
  return rowText(row).replace(/ {2}(.+)$/, ' ($1)')
}

/** "2026-11-28 23:10:02", in the time of this machine. */
export function localTime(iso: string): string {
  const at = new Date(iso)
  const two = (value: number) => String(value).padStart(2, '0')
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-')
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`
}
