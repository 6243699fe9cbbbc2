/** The pages `--help` shows: all commands by group, or one command whole. */

import type { Command, HelpRow } from './command.ts'
import { globalOptions, type OptionSpec, type OptionTable, rootOptions } from './options.ts'
import type { Paint } from './screen.ts'

/** `tscompose` alone: what it is, then the commands in their groups. */
export function overview(rows: readonly HelpRow[], paint: Paint): string {
  const width = Math.max(...rows.map(row => row.name.length)) + 3
  const groups = [...new Set(rows.map(row => row.group))]
  return [
    `${paint('bold', 'tscompose')} runs stacks of containers described by a Compose file, on an engine of its own.`,
    '',
    `${paint('bold', 'Usage')}  tscompose [OPTIONS] COMMAND`,
    ...groups.flatMap(group => [
      '',
      paint('bold', group),
      ...rows
        .filter(row => row.group === group)
        .map(row => `  ${paint('cyan', row.name)}${' '.repeat(width - row.name.length)}${row.summary}`),
    ]),
    '',
    paint('bold', 'Options of every command'),
    ...optionLines(rootOptions, paint),
    '',
    'tscompose COMMAND --help tells more about one of them.',
  ].join('\n')
}

/** `tscompose NAME --help`. */
export function commandHelp(row: HelpRow, page: Command, paint: Paint): string {
  const own = optionLines(page.options, paint)
  return [
    row.summary,
    '',
    `${paint('bold', 'Usage')}  tscompose ${row.name}${page.usage === '' ? '' : ` ${page.usage}`}`,
    ...(page.about ? ['', page.about] : []),
    ...(own.length > 0 ? ['', paint('bold', 'Options'), ...own] : []),
    ...(page.examples ? ['', paint('bold', 'Examples'), ...exampleLines(page.examples, paint)] : []),
    '',
    paint('bold', 'Options of every command'),
    ...optionLines(
      Object.fromEntries(Object.entries(globalOptions).filter(([name]) => !Object.hasOwn(page.options, name))),
      paint,
      new Set(Object.values(page.options).flatMap(spec => spec.short ?? [])),
    ),
  ].join('\n')
}

/** One line an option, a second only where the choices would make it too long. */
function optionLines(table: OptionTable, paint: Paint, taken: ReadonlySet<string> = new Set()): string[] {
  const rows = Object.entries(table).map(([name, spec]) => {
    const short = spec.short !== undefined && !taken.has(spec.short) ? `-${spec.short}, ` : '    '
    const value = spec.kind === 'flag' ? '' : ` ${spec.choices?.join('|') ?? spec.value ?? 'VALUE'}`
    return { written: `${short}--${name}`, value, about: aboutOf(spec) }
  })
  const width = Math.min(32, Math.max(0, ...rows.map(row => row.written.length + row.value.length)))
  return rows.flatMap(({ written, value, about }) => {
    const length = written.length + value.length
    const head = `  ${paint('cyan', written)}${value}`
    return length > width
      ? [head, `${' '.repeat(width + 5)}${about}`]
      : [`${head}${' '.repeat(width - length + 3)}${about}`]
  })
}

/** What it does, and what else stands for it. */
function aboutOf({ about, also = [], on, variable }: OptionSpec): string {
  const more = [
    ...(on ? ['on unless =false'] : []),
    ...also.map(name => `also --${name}`),
    ...(variable === undefined ? [] : [variable]),
  ]
  return more.length === 0 ? about : `${about} (${more.join(', ')})`
}

function exampleLines(examples: readonly (readonly [string, string])[], paint: Paint): string[] {
  const width = Math.max(...examples.map(([typed]) => typed.length))
  return examples.map(([typed, does]) => `  ${paint('cyan', typed)}${' '.repeat(width - typed.length + 3)}${does}`)
}
