/** Standard input and output as a connection to the engine's socket: what ssh:// hosts run on the machine of the engine. */
import { connect } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { endpoints } from '../../api/endpoints.ts'
import { chooseHost, parseHost } from '../../client/host.ts'
import { errnoOf, Failure, messageOf } from '../../lib/failure.ts'
import { command } from '../command.ts'

export const engineDialStdio = command({
  usage: '[OPTIONS]',
  about: 'Not for people: `tscompose -H ssh://user@host` runs it on the other machine.',
  words: [0, 0],
  options: {},
  examples: [['ssh machine tscompose engine dial-stdio', 'what --host ssh://machine runs there']],
  async run(call) {
    const { host } = chooseHost(call.globals.host, call.env)
    const place = parseHost(host)
    if (place.kind !== 'unix')
      throw new Failure('unsupported', `Cannot dial "${host}": only a socket of this machine can be passed on`)
    // starts one where none is
    const client = await call.connect()
    await client.call(endpoints.ping, {}, { signal: call.signal })
    client.close()
    const socket = connect({ path: place.path, allowHalfOpen: true })
    try {
      // what breaks it shows in the answer too; over it is when the engine has said all, whoever may still want to write
      pipeline(process.stdin, socket).catch(() => undefined)
      await pipeline(socket, process.stdout, { end: false })
    } catch (cause) {
      // whoever asked has gone
      if (errnoOf(cause) === 'EPIPE' || errnoOf(cause) === 'ERR_STREAM_PREMATURE_CLOSE') return
      throw new Failure('unavailable', `The connection to "${host}" broke: ${messageOf(cause)}`, { cause })
    } finally {
      process.stdin.destroy()
    }
  },
})
