import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { execIn, exitOf } from '../../../src/targets/kubernetes/exec.ts'
import { Cluster } from '../../../src/targets/kubernetes/rest/cluster.ts'

/** Which stream a message is of. */
const [stdin, stdout, stderr, error, resize, close] = [0, 1, 2, 3, 4, 255]
const message = (channel: number, text: string) => Buffer.concat([Buffer.of(channel), Buffer.from(text)])

const pod = {
  metadata: { name: 'web-1', namespace: 'default' },
  spec: { containers: [{ name: 'web' }] },
  status: { phase: 'Running' },
}
let behave: (socket: WebSocket) => void = () => undefined
let asked = ''
const server = createServer((request, response) => {
  const labels = new URL(request.url ?? '', 'http://x').searchParams.get('labelSelector')
  response.end(
    JSON.stringify({
      metadata: {},
      items: labels === 'tscompose.dev/stack=shop,tscompose.dev/service=web' ? [pod] : [],
    }),
  )
})
const sockets = new WebSocketServer({
  noServer: true,
  handleProtocols: names => (names.has('v5.channel.k8s.io') ? 'v5.channel.k8s.io' : false),
})
server.on('upgrade', (request, socket, head) => {
  asked = request.url ?? ''
  if (asked.includes('command=forbidden')) {
    const body = JSON.stringify({ kind: 'Status', message: 'pods "web-1" is forbidden', reason: 'Forbidden' })
    socket.end(`HTTP/1.1 403 Forbidden\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    return
  }
  sockets.handleUpgrade(request, socket, head, behaving => behave(behaving))
})

describe('a command in a pod', () => {
  let cluster: Cluster
  before(async () => {
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const user = { kind: 'fixed', credentials: { token: 't' } } as const
    cluster = new Cluster(
      { server: at, context: 'a', namespace: 'default', tls: { rejectUnauthorized: true }, user },
      {},
    )
  })
  after(() => {
    cluster.close()
    sockets.close()
    server.closeAllConnections()
    server.close()
  })
  const exec = (command: readonly string[], more: object = {}) =>
    execIn(cluster, 'shop', {
      service: 'web',
      index: undefined,
      command,
      tty: false,
      signal: new AbortController().signal,
      ...more,
    })

  test('has its three streams apart, the end of its input, and its exit code', async () => {
    const received: Buffer[] = []
    behave = socket =>
      socket.on('message', (data: Buffer) => {
        received.push(data)
        if (data[0] !== close) return
        socket.send(message(stdout, 'out'))
        socket.send(message(stderr, 'err'))
        const details = { causes: [{ reason: 'ExitCode', message: '3' }] }
        socket.send(message(error, JSON.stringify({ status: 'Failure', reason: 'NonZeroExitCode', details })))
        socket.close()
      })
    const { session, ended } = await exec(['cat', '-n'])
    session.socket.write('in')
    session.socket.end()
    const output: string[] = []
    for await (const { stream, data } of session.output) output.push(`${stream} ${data}`)
    assert.deepEqual(output, ['stdout out', 'stderr err'])
    assert.equal(await ended(), 3)
    assert.deepEqual(received, [message(stdin, 'in'), Buffer.of(close, stdin)])
    assert.match(
      asked,
      /^\/api\/v1\/namespaces\/default\/pods\/web-1\/exec\?container=web&command=cat&command=-n&stdin=true&stdout=true&stderr=true&tty=false$/,
    )
  })

  test('with a terminal has one stream, and is told its size', async () => {
    const received = Promise.withResolvers<Buffer>()
    behave = socket =>
      socket.on('message', (data: Buffer) => {
        received.resolve(data)
        socket.send(message(error, JSON.stringify({ status: 'Success' })))
        socket.close()
      })
    const { session, resize: tell, ended } = await exec(['sh'], { tty: true })
    await tell(24, 80)
    for await (const _ of session.output);
    assert.equal(await ended(), 0)
    assert.deepEqual(await received.promise, message(resize, '{"Width":80,"Height":24}'))
    assert.match(asked, /stderr=false&tty=true/)
  })

  test('that is refused, has no pod, or loses its connection fails by name', async () => {
    await assert.rejects(exec(['forbidden']), {
      kind: 'denied',
      message: 'Cannot run the command: pods "web-1" is forbidden',
    })
    await assert.rejects(exec(['ls'], { service: 'db' }), { kind: 'not-found', message: /no pod of it runs/ })
    await assert.rejects(exec(['ls'], { index: 2 }), { kind: 'not-found', message: /no pod 2, of 1, of it runs/ })
    behave = socket => socket.terminate()
    const { session, ended } = await exec(['ls'])
    await assert.rejects(async () => {
      for await (const _ of session.output);
      await ended()
    }, /has ended the connection before the command did/)
  })

  test('that cannot be started is told in the words of the node', () => {
    const of = (message: string) => exitOf(JSON.stringify({ status: 'Failure', reason: 'InternalError', message }))
    const missing = 'exec: "x": executable file not found in $PATH'
    assert.deepEqual(of(missing), { code: 127, said: `Cannot run the command: ${missing}` })
    assert.equal(of('exec: "/etc/passwd": permission denied').code, 126)
  })
})
