/** The processes of a stack's containers, as `ps` shows them on the host. */
import { endpoints } from '../../api/endpoints.ts'
import { printable, table } from '../../lib/text.ts'
import { command } from '../command.ts'
import { formatOption } from '../print.ts'
import { nameOf, numberOf, replicasOf, serviceOf } from '../replicas.ts'

export const top = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: { format: formatOption },
  async run(call) {
    const { client, containers } = await replicasOf(call, { services: call.args })
    const tops = await Promise.all(
      containers.map(async container => ({
        container,
        found: await client.call(endpoints.containerTop, { params: { id: container.Id } }, { signal: call.signal }),
      })),
    )
    const rows = tops.flatMap(({ container, found }) =>
      found.Processes.map(process => ({
        Name: nameOf(container),
        Service: serviceOf(container),
        Number: numberOf(container),
        Process: Object.fromEntries(found.Titles.map((title, i) => [title, process[i] ?? ''])),
      })),
    )
    const { format } = call.options
    if (format === 'json') return call.screen.print(JSON.stringify(rows, null, 2))
    if (format === 'jsonl') return call.screen.printAll(rows.map(row => JSON.stringify(row)))
    const titles = tops[0]?.found.Titles ?? []
    call.screen.print(
      table([
        ['SERVICE', '#', ...titles],
        ...rows.map(row => [
          row.Service,
          String(row.Number ?? ''),
          ...titles.map(title => printable(row.Process[title] ?? '')),
        ]),
      ]),
    )
  },
})
