/** An engine as its clients see it that does not get to hear one kind of request: the order of things, forced. */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'

export interface HoldingProxy extends AsyncDisposable {
  readonly host: string
  /** Resolves when the first such request has come. */
  readonly held: Promise<void>
  /** They pass from now on. */
  release(): void
}

/** @param path of the socket that it listens at; @param to the engine's, both `unix://`. */
export async function holdingProxy(path: string, to: string, what: RegExp): Promise<HoldingProxy> {
  const held = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  let isOpen = false
  const server = createServer(client => {
    const engine = connect(to.replace(/^unix:\/\//, ''))
    for (const socket of [client, engine]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        engine.destroy()
      })
    }
    engine.pipe(client)
    client.on('data', data => {
      if (isOpen || !what.test(data.toString('latin1'))) engine.write(data)
      else held.resolve()
    })
  }).listen(path)
  await once(server, 'listening')
  return {
    host: `unix://${path}`,
    held: held.promise,
    release: () => {
      isOpen = true
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
      rmSync(path, { force: true })
    },
  }
}
