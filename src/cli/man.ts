/** The table of commands and their pages → manual pages in man(7) macros, as `--help` has them. */
import type { Command, CommandRow, HelpRow } from './command.ts'
import { globalOptions, type OptionSpec, type OptionTable, rootOptions } from './options.ts'

export interface ManPage {
  /** "tscompose-image-ls.1". */
  readonly name: string
  readonly text: string
}

/** `release` stands in the footer. The first page is of tscompose itself. */
export async function manPages(rows: readonly CommandRow[], release: string): Promise<readonly ManPage[]> {
  const pages = await Promise.all(
    rows.map(async row => ({ name: `${titleOf(row)}.1`, text: commandPage(row, await row.load(), release) })),
  )
  return [{ name: 'tscompose.1', text: rootPage(rows, release) }, ...pages]
}

function titleOf({ name }: HelpRow): string {
  return `tscompose-${name.replaceAll(' ', '-')}`
}

function rootPage(rows: readonly HelpRow[], release: string): string {
  const groups = [...new Set(rows.map(({ group }) => group))]
  return page('tscompose', release, [
    section('NAME'),
    plain('tscompose - runs stacks of containers described by a Compose file, on an engine of its own'),
    section('SYNOPSIS'),
    '.B tscompose',
    plain('[OPTIONS] COMMAND'),
    section('COMMANDS'),
    ...groups.flatMap(group => [
      `.SS ${quoted(group)}`,
      ...rows
        .filter(row => row.group === group)
        .flatMap(row => [`.TP`, `.BR ${quoted(titleOf(row))} (1)`, plain(row.summary)]),
    ]),
    section('OPTIONS'),
    ...options(rootOptions),
  ])
}

function commandPage(row: HelpRow, command: Command, release: string): string {
  const taken = new Set(Object.values(command.options).flatMap(({ short }) => short ?? []))
  const global = Object.fromEntries(
    Object.entries(globalOptions)
      .filter(([name]) => !Object.hasOwn(command.options, name))
      .map(([name, spec]: [string, OptionSpec]) => [
        name,
        taken.has(spec.short ?? '') ? { ...spec, short: undefined } : spec,
      ]),
  ) as OptionTable
  return page(titleOf(row), release, [
    section('NAME'),
    plain(`${titleOf(row)} - ${row.summary}`),
    section('SYNOPSIS'),
    `.B ${escaped(`tscompose ${row.name}`)}`,
    ...(command.usage === '' ? [] : [plain(command.usage)]),
    section('DESCRIPTION'),
    plain(command.about ?? `${row.summary}.`),
    ...(Object.keys(command.options).length > 0 ? [section('OPTIONS'), ...options(command.options)] : []),
    ...(command.examples
      ? [
          section('EXAMPLES'),
          ...command.examples.flatMap(([typed, does]) => ['.TP', `.B ${escaped(typed)}`, plain(does)]),
        ]
      : []),
    section('OPTIONS OF EVERY COMMAND'),
    ...options(global),
    section('SEE ALSO'),
    '.BR tscompose (1)',
  ])
}

function page(title: string, release: string, lines: readonly string[]): string {
  return `${[`.TH ${quoted(title.toUpperCase())} 1 "" ${quoted(`tscompose ${release}`)}`, ...lines].join('\n')}\n`
}

function section(name: string): string {
  return `.SH ${quoted(name)}`
}

function options(table: OptionTable): readonly string[] {
  return Object.entries(table).flatMap(([name, spec]: [string, OptionSpec]) => {
    const names = [...(spec.short ? [`-${spec.short}`] : []), ...[name, ...(spec.also ?? [])].map(each => `--${each}`)]
    const value = spec.kind === 'flag' ? '' : ` \\fI${escaped(spec.choices?.join('|') ?? spec.value ?? 'VALUE')}\\fR`
    const variable = spec.variable === undefined ? '' : ` (${spec.variable})`
    return ['.TP', `\\fB${names.map(escaped).join(', ')}\\fR${value}`, plain(`${spec.about}${variable}`)]
  })
}

/** A line of text that no macro is read out of. */
function plain(text: string): string {
  return text
    .split('\n')
    .map(escaped)
    .map(line => line.replace(/^[.']/, '\\&$&'))
    .join('\n')
}

function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '\\(dq')}"`
}

/** groff_char(7): a bare hyphen is typeset, and a backslash begins an escape. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('…', '...').replaceAll('→', '->')
}
