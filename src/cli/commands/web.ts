/** The live view in a browser: a server on this machine, and the address by which to log in. */
import { Failure } from '../../lib/failure.ts'
import { isLoopback } from '../../web/guard.ts'
import { command } from '../command.ts'
import { usage } from '../options.ts'

/** What it listens on where nothing else is said. */
const usualPort = 4180

export const web = command({
  usage: '[OPTIONS]',
  about:
    'Shows all stacks of the engine as they are: what is wrong, logs, use, plans, files, history. It listens on this machine only. The address that it prints holds a token which is good for one login; after each it prints the next. ^C ends it, and nothing else.',
  words: [0, 0],
  options: {
    port: { kind: 'number', value: 'PORT', about: `Listen on PORT (default: ${usualPort}; 0: any that is free)` },
    listen: { kind: 'text', value: 'ADDRESS', about: 'Listen on ADDRESS (default: 127.0.0.1)' },
    'beyond-this-machine': {
      kind: 'flag',
      about:
        'Allow an address that others reach, though all is sent in the clear: behind a proxy with TLS, or a tunnel',
    },
    'read-only': { kind: 'flag', about: 'Show everything and change nothing: no apply, no editing, no terminal' },
  },
  examples: [
    ['tscompose web', 'the view of this machine'],
    ['tscompose web --read-only --port 8090', 'for a screen on the wall'],
    ['ssh -L 4180:127.0.0.1:4180 HOST tscompose web', 'the view of another machine, by a tunnel'],
  ],
  async run(call) {
    const { options, screen, signal } = call
    const { port = usualPort, listen: host = '127.0.0.1' } = options
    if (port < 0 || port > 65535) throw usage(`Cannot listen on port ${port}: it should be 0 to 65535`)
    if (!isLoopback(host) && !options['beyond-this-machine'])
      throw new Failure('denied', `Cannot listen on "${host}": others than this machine would reach it, in the clear`, {
        hint: 'Use a tunnel (ssh -L), or say --beyond-this-machine',
      })
    const client = await call.connect()
    const [{ webRoads }, { serveWeb }] = await Promise.all([import('../web-roads.ts'), import('../../web/server.ts')])
    let logins = 0
    const server = await serveWeb({
      roads: await webRoads(call, client),
      host,
      port,
      readOnly: options['read-only'],
      onAddress: url => screen.print(logins++ === 0 ? url : `Logged in. The next login: ${url}`),
    })
    if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
    await server.close()
    client.close()
    return 0
  },
})
