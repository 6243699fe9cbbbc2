/** Lists on stdout: as a table for people, as JSON for programs, by a template as anybody likes. */
import { printable, table } from '../lib/text.ts'
import { type OptionSpec, usage } from './options.ts'
import type { Screen } from './screen.ts'

/** The --format of every command that lists something. */
export const formatOption = {
  kind: 'text',
  value: 'FORMAT',
  suggested: ['table', 'json', 'jsonl', 'array'],
  about: "table, json (as Compose's), jsonl (one object a line), array, or a template: '{{.Name}}', 'table {{.Name}}'",
} as const satisfies OptionSpec

export interface Listing<Row extends object> {
  readonly format: string | undefined
  readonly rows: readonly Row[]
  /** Heading → cell: the table when nothing else is asked for. */
  readonly columns: Readonly<Record<string, (row: Row) => string>>
  /** Field → heading, for `table {{.Field}}`; without an entry it is the field in capitals. */
  readonly headings?: Readonly<Record<string, string>>
  /** What Compose prints for `json`: an object a line, or one array. */
  readonly json: 'lines' | 'array'
  /** What Compose prints for an empty `array`, where that is not []. */
  readonly none?: 'null'
  /** Whether text without {{ }} is a template too, as for Compose's ps, stats and volumes. */
  readonly anyText?: boolean
  /** No column is narrower. */
  readonly least?: number
}

/** Prints `rows`; an empty table is its heading alone, an empty array is []. @throws Failure invalid for a wrong format */
export async function printList<Row extends object>(screen: Screen, listing: Listing<Row>): Promise<void> {
  for (const text of await listed(listing)) screen.print(text)
}

/** The pieces `printList` prints, each ending with a newline to come. */
export async function listed<Row extends object>(listing: Listing<Row>): Promise<readonly string[]> {
  const { rows, columns, json, least = 10 } = listing
  const format = listing.format || 'table'
  const lines = () => (rows.length === 0 ? [] : [rows.map(row => JSON.stringify(row)).join('\n')])
  if (format === 'jsonl' || (format === 'json' && json === 'lines')) return lines()
  if (format === 'json' && rows.length === 0 && listing.none) return [listing.none]
  if (format === 'array' || format === 'json') return [JSON.stringify(rows)]
  if (format === 'table') {
    const cells = Object.values(columns)
    return [table([Object.keys(columns), ...rows.map(row => cells.map(cell => printable(cell(row))))], { least })]
  }
  if (!listing.anyText && !format.includes('{{'))
    throw usage(
      `format value ${JSON.stringify(format)} could not be parsed: it is table, json, jsonl, array or a template`,
    )
  const { templated } = await import('./template-rows.ts')
  return templated(format, listing).map(printable)
}
