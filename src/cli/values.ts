/** Options found among words, and variables that stand for them → the typed values of a table. */
import { type Found, scan, truths } from './flags.ts'
import { type OptionTable, usage, type Values } from './options.ts'

/** What `parse` found. */
export interface Parsed {
  /** Option → all its values, in the order they were written. */
  readonly values: ReadonlyMap<string, readonly string[]>
  readonly args: readonly string[]
  /** What a person should know about values that were left out. */
  readonly warnings: readonly string[]
}

/**
 * Parses `argv` by `table`. With `passthrough`, everything from the first word that is no option on is left as it
 * stands: `exec web ls -l` hands `-l` to ls.
 *
 * @throws Failure invalid, naming the option and the nearest one that exists
 */
export function parse(argv: readonly string[], table: OptionTable, passthrough = false): Parsed {
  const { options, words } = scan(argv, table, passthrough)
  return { ...collect(options), args: words }
}

/** What variables say of options; an empty one says nothing. */
export function parseVariables(env: Readonly<Record<string, string | undefined>>, table: OptionTable): Parsed {
  const found: Found[] = []
  for (const [name, spec] of Object.entries(table)) {
    const value = spec.variable === undefined ? undefined : env[spec.variable]?.trim()
    if (!value) continue
    if (spec.kind === 'number' && !/^-?\d{1,15}$/.test(value))
      throw usage(`Cannot use ${spec.variable} ${JSON.stringify(value)}: it is not a whole number`)
    if (spec.choices && !spec.lenient && !spec.choices.includes(value))
      throw usage(`Cannot use ${spec.variable} ${JSON.stringify(value)}: it is one of ${spec.choices.join(', ')}`)
    // a truth as Compose reads it in variables: whatever is no truth is none
    found.push({ name, spec, value: spec.kind === 'flag' ? String(isTruth(value)) : value })
  }
  return collect(found)
}

export function isTruth(text: string): boolean {
  return truths.has(text) || text.toLowerCase() === 'y'
}

/** Options as they were found, by name. */
export function collect(found: readonly Found[]): Parsed {
  const values = new Map<string, string[]>()
  const warnings: string[] = []
  for (const { name, spec, value } of found) {
    const isUnknown = spec.lenient && spec.choices && !spec.choices.includes(value)
    const those = `it is one of ${spec.choices?.join(', ')}`
    // of a list it is kept: whoever asks for what there is not gets nothing, and not all
    if (isUnknown && spec.kind === 'list') warnings.push(`--${name} ${value} matches nothing: ${those}`)
    if (isUnknown && spec.kind !== 'list') warnings.push(`--${name} ${value} is left out: ${those}`)
    else values.set(name, [...(values.get(name) ?? []), value])
  }
  return { values, warnings, args: [] }
}

/** The typed values of `table` out of parses, later ones winning, lists appended. */
export function valuesOf<Table extends OptionTable>(table: Table, ...parses: readonly Parsed[]): Values<Table> {
  const result: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(table)) {
    const all = parses.flatMap(parsed => parsed.values.get(name) ?? [])
    const last = all.at(-1)
    if (spec.kind === 'list') result[name] = all
    else if (spec.kind === 'flag')
      result[name] = last !== undefined ? truths.has(last) : spec.either ? undefined : spec.on === true
    else if (spec.kind === 'number') result[name] = last === undefined ? undefined : Number(last)
    else result[name] = last
  }
  return result as Values<Table>
}
