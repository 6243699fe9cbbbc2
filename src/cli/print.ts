/** Lists on stdout: as a table for people, as JSON or JSON lines for programs. */
import { Failure } from '../lib/failure.ts'
import { printable, table } from '../lib/text.ts'
import type { OptionSpec } from './options.ts'
import type { Screen } from './screen.ts'

/** The --format of every command that lists something. */
export const formatOption = {
  kind: 'text',
  value: 'FORMAT',
  choices: ['table', 'json', 'jsonl'],
  about: 'How to print: table, json (one array), jsonl (one object a line)',
} as const satisfies OptionSpec

export interface Listing<Item> {
  readonly format: string | undefined
  readonly items: readonly Item[]
  /** Heading → cell. */
  readonly columns: Readonly<Record<string, (item: Item) => string>>
  readonly json: (item: Item) => object
}

/** Prints `items`; an empty table is its heading alone, an empty array is []. */
export function printList<Item>(screen: Screen, { format, items, columns, json }: Listing<Item>): void {
  if (format === 'json') {
    screen.print(JSON.stringify(items.map(json), null, 2))
    return
  }
  if (format === 'jsonl') {
    screen.printAll(items.map(item => JSON.stringify(json(item))))
    return
  }
  if (format !== undefined && format !== 'table') throw new Failure('internal', `Cannot print as "${format}"`)
  const cells = Object.values(columns)
  screen.print(table([Object.keys(columns), ...items.map(item => cells.map(cell => printable(cell(item))))]))
}

/** The beginning of what is longer than `length`. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
