/** Where to reach what a stack publishes: `http://localhost:8080`. */
import { Failure } from '../../lib/failure.ts'
import { urlRows } from '../../view/urls.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'
import { replicasOf } from '../replicas.ts'

export const url = command({
  usage: '[OPTIONS] [SERVICE...]',
  about: 'Of SERVICE, the addresses alone, one a line. What does not speak HTTP is shown with tcp or udp.',
  options: { format: formatOption },
  examples: [
    ['tscompose url', 'all that can be reached'],
    ['curl $(tscompose url web)', 'in a script'],
  ],
  async run(call) {
    const { options, args, screen } = call
    const { containers, project } = await replicasOf(call, { services: args })
    const rows = urlRows(containers)
    if (args.length > 0 && options.format === undefined) {
      if (rows.length === 0)
        throw new Failure('not-found', `Nothing of ${args.join(', ')} in project "${project}" is published`)
      return screen.printAll(rows.map(row => row.URL))
    }
    await printList(screen, {
      format: options.format,
      rows,
      columns: { SERVICE: row => row.Service, PORT: row => row.Port, URL: row => row.URL },
      json: 'array',
    })
  },
})
