/** Command-line words → typed values, by a table of options a command; on node:util parseArgs tokens. */
import { parseArgs } from 'node:util'
import { Failure } from '../lib/failure.ts'
import { nearest } from '../lib/problems.ts'
import { list } from '../lib/text.ts'

/** One option: how it is written, what it takes, what it does. */
export interface OptionSpec {
  readonly kind: 'flag' | 'text' | 'number' | 'list'
  readonly short?: string
  /** What the value is called in the help: `FILE`. */
  readonly value?: string
  readonly choices?: readonly string[]
  readonly about: string
  /** Accepted because people type it, but not shown in the help. */
  readonly hidden?: boolean
}

export type OptionTable = Readonly<Record<string, OptionSpec>>

type Value<Spec extends OptionSpec> = Spec['kind'] extends 'flag'
  ? boolean
  : Spec['kind'] extends 'list'
    ? readonly string[]
    : Spec['kind'] extends 'number'
      ? number | undefined
      : string | undefined

/** What a table of options gives once parsed: flags false, lists empty, the rest undefined when not given. */
export type Values<Table extends OptionTable> = string extends keyof Table
  ? Readonly<Record<string, unknown>>
  : { readonly [Name in keyof Table]: Value<Table[Name]> }

/** The options every command takes, before or after its name. */
export const globalOptions = {
  file: { kind: 'list', short: 'f', value: 'FILE', about: 'Stack file; repeat to merge several, - for stdin' },
  'project-name': {
    kind: 'text',
    short: 'p',
    value: 'NAME',
    about: 'Project name (default: name: of the file, its folder)',
  },
  'project-directory': { kind: 'text', value: 'DIR', about: 'Folder that relative paths start from' },
  'env-file': { kind: 'list', value: 'FILE', about: 'Read variables from FILE instead of .env' },
  profile: { kind: 'list', value: 'NAME', about: 'Enable a profile; repeat for several' },
  host: { kind: 'text', short: 'H', value: 'URL', about: 'Engine to talk to: unix:///path or tcp://host:port' },
  parallel: { kind: 'number', value: 'N', about: 'At most N operations at a time (1 to 999)' },
  progress: {
    kind: 'text',
    value: 'STYLE',
    choices: ['auto', 'tty', 'plain', 'json', 'quiet'],
    about: 'How progress is shown',
  },
  ansi: { kind: 'text', value: 'WHEN', choices: ['auto', 'always', 'never'], about: 'When to use colours' },
  strict: { kind: 'flag', about: 'Refuse what this runtime cannot honour instead of warning' },
  'dry-run': { kind: 'flag', about: 'Show the plan and change nothing' },
  verbose: { kind: 'flag', about: 'Show the causes behind an error' },
  help: { kind: 'flag', short: 'h', about: 'Show this help' },
  'all-resources': { kind: 'flag', about: 'Keep networks, volumes, secrets and configs that no service uses' },
  compatibility: { kind: 'flag', hidden: true, about: 'Accepted, without effect' },
  version: { kind: 'flag', hidden: true, about: 'Show the version' },
} as const satisfies OptionTable

export type GlobalValues = Values<typeof globalOptions>

/** The words of a command line, split where the command begins. */
export interface Split {
  /** Tokens before the command: global options only. */
  readonly before: readonly string[]
  readonly words: readonly string[]
}

/** Finds the command: the first word that is no global option nor its value. */
export function splitCommand(argv: readonly string[]): Split {
  const { tokens } = tokenise(argv, globalOptions)
  const first = tokens.find(token => token.kind === 'positional')
  return first ? { before: argv.slice(0, first.index), words: argv.slice(first.index) } : { before: argv, words: [] }
}

/** What `parse` found. */
export interface Parsed {
  readonly values: ReadonlyMap<string, boolean | string>
  readonly lists: ReadonlyMap<string, readonly string[]>
  readonly args: readonly string[]
}

/**
 * Parses `argv` by `table`. With `passthrough`, everything from the first word that is no option on is left as it
 * stands: `exec web ls -l` hands `-l` to ls.
 *
 * @throws Failure invalid, naming the option and the nearest one that exists
 */
export function parse(argv: readonly string[], table: OptionTable, passthrough = false): Parsed {
  const values = new Map<string, boolean | string>()
  const lists = new Map<string, string[]>()
  const args: string[] = []
  for (const token of tokenise(argv, table).tokens) {
    if (token.kind === 'option-terminator') {
      args.push(...argv.slice(token.index + 1))
      break
    }
    if (token.kind === 'positional') {
      if (passthrough) {
        args.push(...argv.slice(token.index))
        break
      }
      args.push(token.value)
      continue
    }
    const spec = Object.hasOwn(table, token.name) ? table[token.name] : undefined
    if (!spec) throw unknownOption(token.rawName, table)
    if (spec.kind === 'flag') {
      values.set(token.name, flagValue(token.rawName, token.value))
      continue
    }
    if (token.value === undefined)
      throw usage(`Cannot use ${token.rawName}: it needs a value, ${spec.value ?? 'VALUE'}`)
    // -f=x is read as x, as the docker clients read it
    const value =
      !token.rawName.startsWith('--') && token.inlineValue && token.value.startsWith('=')
        ? token.value.slice(1)
        : token.value
    checkValue(token.rawName, value, spec)
    if (spec.kind === 'list') lists.set(token.name, [...(lists.get(token.name) ?? []), value])
    else values.set(token.name, value)
  }
  return { values, lists, args }
}

/** The typed values of `table` out of parses, later ones winning, lists appended. */
export function valuesOf<Table extends OptionTable>(table: Table, ...parses: readonly Parsed[]): Values<Table> {
  const result: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(table)) {
    const last = parses.findLast(parsed => parsed.values.has(name))?.values.get(name)
    if (spec.kind === 'list') result[name] = parses.flatMap(parsed => parsed.lists.get(name) ?? [])
    else if (spec.kind === 'flag') result[name] = last ?? false
    else if (spec.kind === 'number') result[name] = last === undefined ? undefined : Number(last)
    else result[name] = last
  }
  return result as Values<Table>
}

/** A mistake in the command line, with a pointer to what would be right. */
export function usage(message: string, hint?: string): Failure {
  return new Failure('invalid', message, hint === undefined ? {} : { hint })
}

function tokenise(argv: readonly string[], table: OptionTable) {
  const options: Record<string, { type: 'boolean' | 'string'; short?: string; multiple?: boolean }> = {}
  for (const [name, spec] of Object.entries(table))
    options[name] = {
      type: spec.kind === 'flag' ? 'boolean' : 'string',
      ...(spec.short === undefined ? {} : { short: spec.short }),
      multiple: true,
    }
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true })
}

function flagValue(rawName: string, value: string | undefined): boolean {
  if (value === undefined || value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw usage(`Cannot use ${rawName}=${value}: it is on or off, true or false`)
}

function checkValue(rawName: string, value: string, spec: OptionSpec): void {
  if (value.includes('\0')) throw usage(`Cannot use ${rawName}: its value holds a NUL character`)
  if (spec.choices && !spec.choices.includes(value))
    throw usage(`Cannot use ${rawName} ${value}: it is one of ${list(spec.choices, 'or')}`)
  if (spec.kind === 'number' && !/^-?\d+$/.test(value))
    throw usage(`Cannot use ${rawName} ${value}: it takes a whole number`)
}

function unknownOption(rawName: string, table: OptionTable): Failure {
  const names = Object.entries(table)
    .filter(([, spec]) => !spec.hidden)
    .map(([name]) => name)
  const near = rawName.startsWith('--') ? nearest(rawName.slice(2), names) : undefined
  return usage(`Unknown option ${rawName}`, near ? `Did you mean --${near}?` : undefined)
}
