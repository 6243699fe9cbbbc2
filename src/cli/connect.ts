/** The engine to talk to, by --host, DOCKER_HOST or our default socket; behind the last one is started when there is none. */
import { type Client, createClient } from '../client/client.ts'
import { chooseHost, defaultSocket } from '../client/host.ts'
import { answers } from './answers.ts'
import type { GlobalValues } from './options.ts'
import type { Screen } from './screen.ts'

/** A client whose engine answers, or that will say why not at its first call. */
export async function connect(
  globals: GlobalValues,
  screen: Screen,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Client> {
  const { host, source } = chooseHost(globals.host, env)
  if (source === 'default' && !(await answers(defaultSocket))) {
    const { startEngine } = await import('./engine-start.ts')
    if (globals.verbose) screen.say('Starting the engine')
    await startEngine({ socket: defaultSocket, env })
  }
  return createClient(host)
}
