/** Where a port of a service is published: `0.0.0.0:8080`. */

import { listedName } from '../../api/listed-name.ts'
import { Failure } from '../../lib/failure.ts'
import { protocols } from '../../lib/ports.ts'
import { publishedAt, publishedText } from '../../view/ports.ts'
import { command } from '../command.ts'
import { usage } from '../options.ts'
import { replicaOf } from '../replicas.ts'

export const port = command({
  usage: '[OPTIONS] SERVICE PRIVATE_PORT',
  words: [2, Infinity],
  options: {
    index: { kind: 'number', value: 'N', about: 'Which replica (default: the first that runs)' },
    protocol: {
      kind: 'text',
      value: 'PROTOCOL',
      suggested: protocols,
      about: 'tcp (default), udp or sctp',
    },
  },
  examples: [['tscompose port web 80', 'where port 80 of web is to be reached']],
  async run(call) {
    const [service, text] = call.args as [string, string]
    const [number = '', suffix] = text.split('/')
    if (!/^\d{1,5}$/.test(number) || Number(number) > 65_535)
      throw usage(`Cannot use port "${text}": it is no number from 0 to 65535`)
    const protocol = suffix ?? call.options.protocol ?? 'tcp'
    const { one } = await replicaOf(call, service, call.options.index)
    const ports = one.Ports ?? []
    const found = publishedAt(ports, Number(number), protocol)
    if (found === undefined)
      throw new Failure(
        'not-found',
        `no port ${number}/${protocol} for container ${listedName(one)}: ${publishedText(ports)}`,
      )
    call.screen.print(found)
  },
})
