/** All projects that have containers, on any stack file. */
import { endpoints } from '../../api/endpoints.ts'
import { labels } from '../../plan/labels.ts'
import { projectRows } from '../../view/projects.ts'
import { command } from '../command.ts'
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
  async run({ options, screen, signal, connect }) {
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
    await printList(screen, {
      format: options.format,
      rows,
      columns: { NAME: row => row.Name, STATUS: row => row.Status, 'CONFIG FILES': row => row.ConfigFiles },
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
