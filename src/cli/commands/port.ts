/** Where a port of a service is published: `0.0.0.0:8080`. */
import { Failure } from '../../lib/failure.ts'
import { command } from '../command.ts'
import { usage } from '../options.ts'
import { nameOf, replicaOf } from '../replicas.ts'

export const port = command({
  usage: '[OPTIONS] SERVICE PRIVATE_PORT',
  words: [2, Infinity],
  options: {
    index: { kind: 'number', value: 'N', about: 'Which replica (default: the first that runs)' },
    protocol: { kind: 'text', value: 'PROTOCOL', choices: ['tcp', 'udp', 'sctp'], about: 'tcp (default), udp or sctp' },
  },
  async run(call) {
    const [service, text] = call.args as [string, string]
    const [number, suffix] = text.split('/')
    if (!/^\d+$/.test(number ?? '')) throw usage(`Cannot use port "${text}": it is not a number`)
    const protocol = suffix ?? call.options.protocol ?? 'tcp'
    const { one } = await replicaOf(call, service, call.options.index)
    const found = (one.Ports ?? []).filter(
      each => each.PrivatePort === Number(number) && each.Type === protocol && each.PublicPort !== undefined,
    )
    if (found.length === 0)
      throw new Failure('not-found', `No port ${number}/${protocol} is published by "${nameOf(one)}"`)
    const best = found.find(each => !each.IP?.includes(':')) ?? found[0]!
    call.screen.print(`${best.IP?.includes(':') ? `[${best.IP}]` : best.IP}:${best.PublicPort}`)
  },
})
