/** This terminal at the first process of a container that runs; its exit code is ours. */
import { endpoints } from '../../api/endpoints.ts'
import { listedName } from '../../api/listed-name.ts'
import type { Client } from '../../client/client.ts'
import { parseDetachKeys } from '../../lib/detach-keys.ts'
import { Failure, isFailure } from '../../lib/failure.ts'
import { command } from '../command.ts'
import { replicaOf } from '../replicas.ts'
import { join } from '../terminal.ts'

export const attachCommand = command({
  usage: '[OPTIONS] SERVICE',
  words: [1, Infinity],
  about: 'Its input and output from now on. The detach keys, ctrl-p ctrl-q, leave it running and come back.',
  options: {
    'detach-keys': {
      kind: 'text',
      value: 'KEYS',
      about: 'Instead of ctrl-p,ctrl-q: ctrl-x, a letter, several with commas',
    },
    index: { kind: 'number', value: 'N', about: 'Which replica (default: the first that runs)' },
    'no-stdin': { kind: 'flag', about: 'Pass nothing on of standard input' },
    'sig-proxy': { kind: 'flag', on: true, about: 'Pass signals on to the process' },
  },
  examples: [
    ['tscompose attach web', 'its output, and your keys as its input; Ctrl-P Ctrl-Q leaves it running'],
    ['tscompose attach --no-stdin web', 'only look'],
  ],
  async run(call) {
    const { options, screen } = call
    const [service] = call.args as [string]
    // ours to find: they are typed here
    const keys = options['detach-keys'] || undefined
    if (keys !== undefined) parseDetachKeys(keys)
    const { client, one } = await replicaOf(call, service, options.index)
    if (one.State !== 'running')
      throw new Failure('conflict', `Cannot attach to "${listedName(one)}": it is ${one.State}, it should be running`)
    if (call.globals['dry-run']) return 0
    const params = { id: one.Id }
    const { Config } = await client.call(endpoints.containerInspect, { params })
    const tty = Config.Tty === true
    const stdin = Config.OpenStdin === true && !options['no-stdin'] ? call.stdin : undefined
    // first, so that no end of it is missed
    const waiting = await client.stream(endpoints.containerWait, { params, query: { condition: 'not-running' } })
    const session = await client.hijack(
      endpoints.containerAttach,
      { params, query: { stream: true, stdin: stdin !== undefined, stdout: true, stderr: true } },
      { tty },
    )
    // what has a terminal gets ^C through it
    using _taken = call.interrupts.take((count, signal) => {
      if (count > 1 || !options['sig-proxy'] || tty) session.socket.destroy()
      else pass(client, one.Id, signal)
    })
    const how = await join({
      session,
      screen,
      stdin,
      keys,
      ...(tty
        ? {
            resize: (h: number, w: number) =>
              client.call(endpoints.containerResize, { params, query: { h: String(h), w: String(w) } }),
          }
        : {}),
    })
    if (how === 'detached') {
      screen.say('read escape sequence')
      return 0
    }
    if (call.interrupts.count > 0) return 130
    for await (const { StatusCode: code, Error: error } of waiting) {
      if (error) throw new Failure('internal', `Cannot wait for "${listedName(one)}": ${error.Message}`)
      return code
    }
    throw new Failure('internal', `Cannot wait for "${listedName(one)}": the engine ended the wait without an answer`)
  },
})

function pass(client: Client, id: string, signal: string): void {
  client.call(endpoints.containerKill, { params: { id }, query: { signal } }).catch((error: unknown) => {
    // it has ended by itself in the meantime
    if (!isFailure(error)) throw error
  })
}
