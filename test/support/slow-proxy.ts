/** A registry that goes in the middle of a pull, as its clients see it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { TestRegistry } from './registry.ts'

/** Passes on what a registry sends, and kills it after a million bytes of one blob; `back`: it is started again. */
export async function slowProxy(t: TestContext, registry: TestRegistry, back = true) {
  const ranges: string[] = []
  let killed = false
  const server = createServer(async (request, response) => {
    if (request.headers.range) ranges.push(request.headers.range)
    try {
      const headers = { accept: String(request.headers.accept ?? '*/*'), range: request.headers.range ?? '' }
      if (!headers.range) delete (headers as { range?: string }).range
      const answer = await fetch(`http://${registry.host}${request.url}`, { headers })
      response.writeHead(answer.status, Object.fromEntries(answer.headers))
      let seen = 0
      for await (const chunk of answer.body!) {
        seen += chunk.length
        if (seen < 1_000_000 || killed) response.write(chunk)
        else {
          killed = true
          await registry.kill()
          response.destroy()
          if (back) setTimeout(() => void registry.again(), 30)
          return
        }
      }
      response.end()
    } catch {
      request.socket.destroy()
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, ranges }
}
