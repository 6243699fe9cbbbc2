/** The engine to talk to, by --host, DOCKER_HOST or our default socket; behind the last one is started when there is none. */
import { type Client, createClient } from '../client/client.ts'
import { chooseHost, defaultSocket } from '../client/host.ts'
import type { GlobalValues } from './options.ts'
import type { Screen } from './screen.ts'

/** A client that finds out at its first call whether an engine answers. */
export function connect(
  globals: GlobalValues,
  screen: Screen,
  env: Readonly<Record<string, string | undefined>>,
): Client {
  const { host, source, tls } = chooseHost(globals.host, env)
  if (source !== 'default') return createClient(host, { tls })
  const socket = defaultSocket(env)
  return createClient(host, {
    start: async () => {
      const { startEngine } = await import('./engine-start.ts')
      if (globals.verbose) screen.say('Starting the engine')
      await startEngine({ socket, env, say: line => screen.say(line) })
    },
  })
}
