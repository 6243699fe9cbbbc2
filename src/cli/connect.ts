/** The engine to talk to, by --host, DOCKER_HOST or our default socket; behind the last one is started when there is none. */
import { connect as connectSocket } from 'node:net'
import { type Client, createClient } from '../client/client.ts'
import { chooseHost, defaultSocket } from '../client/host.ts'
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

/** Whether someone listens on the socket; a fraction of a millisecond, and the only sure sign. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(false)
      // EACCES: an engine is there, not for this user; the client's first call says so in full
      else if (error.code === 'EACCES' || error.code === 'EPERM') resolve(true)
      else reject(error)
    })
  })
}
