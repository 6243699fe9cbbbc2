/** The processes of a stack's containers, as `ps` shows them on the host. */
import { endpoints } from '../../api/endpoints.ts'
import { processRows } from '../../view/processes.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'
import { replicasOf } from '../replicas.ts'

export const top = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: { format: formatOption },
  examples: [
    ['tscompose top', 'the processes of all containers'],
    ['tscompose top db', 'of one service'],
  ],
  async run(call) {
    const { client, containers } = await replicasOf(call, { oneOff: true, services: call.args, anyService: true })
    const tops = await Promise.all(
      containers.map(async container => ({
        container,
        found: await client.call(endpoints.containerTop, { params: { id: container.Id } }, { signal: call.signal }),
      })),
    )
    const titles = [...new Set(tops.flatMap(({ found }) => found.Titles))]
    const { format = 'table' } = call.options
    if (format === 'table' && tops.length === 0) return
    await printList(call.screen, {
      format,
      rows: tops.flatMap(({ container, found }) => processRows(container, found)),
      columns: {
        SERVICE: row => row.Service,
        '#': row => row.Number,
        ...Object.fromEntries(
          titles.map(title => [title, (row: ReturnType<typeof processRows>[number]) => row.Process[title] ?? '-']),
        ),
      },
      json: 'lines',
      least: 4,
    })
  },
})
