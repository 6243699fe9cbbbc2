/** Where to reach what a stack publishes: `http://localhost:8080`. */
import { urlRows } from '../../view/urls.ts'
import { command } from '../command.ts'
import { formatOption } from '../print.ts'
import { replicasOf } from '../replicas.ts'
import { printUrls } from '../urls.ts'

export const url = command({
  usage: '[OPTIONS] [SERVICE...]',
  about: 'Of SERVICE, the addresses alone, one a line. What does not speak HTTP is shown with tcp or udp.',
  options: { format: formatOption },
  examples: [
    ['tscompose url', 'all that can be reached'],
    ['curl $(tscompose url web)', 'in a script'],
  ],
  async run(call) {
    const { containers, project } = await replicasOf(call, { services: call.args })
    await printUrls(call, project, urlRows(containers))
  },
})
