/** All projects that have containers, on any stack file. */
import { endpoints } from '../../api/endpoints.ts'
import { plural } from '../../lib/text.ts'
import { labels } from '../../plan/labels.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'

interface Row {
  readonly name: string
  readonly states: Map<string, number>
  readonly files: string
}

export const ls = command({
  usage: '[OPTIONS]',
  words: [0, 0],
  options: {
    all: { kind: 'flag', short: 'a', about: 'Show projects of which nothing runs too' },
    quiet: { kind: 'flag', short: 'q', about: 'Print names only' },
    filter: { kind: 'text', value: 'name=TEXT', about: 'Only projects whose name holds TEXT' },
    format: formatOption,
  },
  async run({ options, screen, signal, connect }) {
    const client = await connect()
    const containers = await client.call(
      endpoints.containerList,
      { query: { all: true, filters: { label: [labels.project] } } },
      { signal },
    )
    const rows = new Map<string, Row>()
    for (const { Labels: own, State } of containers) {
      const name = own?.[labels.project] ?? ''
      const row = rows.get(name) ?? { name, states: new Map(), files: own?.[labels.files] ?? '' }
      row.states.set(State, (row.states.get(State) ?? 0) + 1)
      rows.set(name, row)
    }
    const wanted = options.filter?.startsWith('name=') ? options.filter.slice(5) : ''
    const items = [...rows.values()]
      .filter(
        row => options.all || row.states.has('running') || row.states.has('paused') || row.states.has('restarting'),
      )
      .filter(row => row.name.includes(wanted))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    if (options.quiet) return screen.printAll(items.map(row => row.name))
    printList(screen, {
      format: options.format,
      items,
      columns: {
        NAME: row => row.name,
        STATUS: row => [...row.states].map(([state, count]) => `${state}(${count})`).join(', '),
        'STACK FILES': row => row.files,
      },
      json: row => ({
        Name: row.name,
        Status: [...row.states].map(([state, count]) => `${state}(${count})`).join(', '),
        ConfigFiles: row.files,
      }),
    })
    if (items.length === 0 && rows.size > 0 && options.format === undefined)
      screen.say(`${plural(rows.size, 'project')} stopped; show with --all`)
  },
})
