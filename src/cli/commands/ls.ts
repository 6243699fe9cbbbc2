/** All projects that have containers, on any stack file. */
import { endpoints } from '../../api/endpoints.ts'
import { labels } from '../../targets/engine/labels.ts'
import { type ProjectRow, projectRows } from '../../view/projects.ts'
import { command } from '../command.ts'
import { heldStacks } from '../keeping.ts'
import { usage } from '../options.ts'
import { formatOption, printList } from '../print.ts'

export const ls = command({
  usage: '[OPTIONS]',
  words: [0, 0],
  options: {
    all: { kind: 'flag', short: 'a', about: 'Show projects of which nothing runs too' },
    quiet: { kind: 'flag', short: 'q', about: 'Print names only' },
    filter: { kind: 'list', value: 'name=PATTERN', about: 'Only projects whose name matches; repeat for several' },
    format: formatOption,
  },
  examples: [
    ['tscompose ls', 'the stacks that run'],
    ['tscompose ls --all', 'stopped ones too'],
  ],
  async run(call) {
    const { options, screen, signal, connect } = call
    const names = options.filter.map(patternOf)
    const client = await connect()
    const containers = await client.call(
      endpoints.containerList,
      { query: { all: options.all, filters: { label: [labels.project] } } },
      { signal },
    )
    const rows = projectRows(containers).filter(
      row => names.length === 0 || names.some(pattern => pattern.test(row.Name)),
    )
    if (options.quiet) return screen.printAll(rows.map(row => row.Name))
    const held = await heldStacks(call, client)
    const withHeld = rows.map(row => {
      const stack = held.get(row.Name)
      return stack ? { ...row, Held: stack.State, HeldBecause: stack.Reasons.join('; ') } : row
    })
    await printList<ProjectRow & { readonly Held?: string }>(screen, {
      format: options.format,
      rows: withHeld,
      columns: {
        NAME: row => row.Name,
        STATUS: row => row.Status,
        'CONFIG FILES': row => row.ConfigFiles,
        // only where one of them is held: programs read the columns that Compose has
        ...(!rows.some(row => held.has(row.Name)) ? {} : { HELD: (row: { readonly Held?: string }) => row.Held ?? '' }),
      },
      json: 'array',
      least: 20,
    })
  },
})

function patternOf(filter: string): RegExp {
  const [name, value] = [filter.slice(0, filter.indexOf('=')), filter.slice(filter.indexOf('=') + 1)]
  if (!filter.includes('=')) throw usage(`invalid argument "${filter}" for "--filter" flag: it should be name=PATTERN`)
  if (name !== 'name') throw usage(`invalid filter '${name}'`)
  try {
    return new RegExp(value)
  } catch {
    // not a pattern, then the text itself
    return new RegExp(value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  }
}
