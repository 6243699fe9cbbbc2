import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcp } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { errnoOf } from '../../../src/lib/failure.ts'
import { forwardPorts } from '../../../src/targets/kubernetes/forward.ts'
import { Cluster } from '../../../src/targets/kubernetes/rest/cluster.ts'
import { eventually } from '../../support/eventually.ts'

const protocol = 'v4.channel.k8s.io'
const pod = (name: string, ready: boolean, port: number) => ({
  metadata: { name, labels: { 'tscompose.dev/service': 'web' } },
  spec: { containers: [{ name: 'web', ports: [{ containerPort: port }, { containerPort: 53, protocol: 'UDP' }] }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
})
let pods: readonly object[] = []
let asked: string[] = []
let behave: (socket: WebSocket) => void
const server = createServer((_, response) => response.end(JSON.stringify({ metadata: {}, items: pods })))
const sockets = new WebSocketServer({ noServer: true, handleProtocols: all => (all.has(protocol) ? protocol : false) })
server.on('upgrade', (request, socket, head) => {
  asked.push(request.url ?? '')
  sockets.handleUpgrade(request, socket, head, led => {
    // as a kubelet begins both channels
    for (const channel of [0, 1]) led.send(Buffer.of(channel, 0x50, 0))
    behave(led)
  })
})

describe('a port of a pod', () => {
  let cluster: Cluster
  const stop = new AbortController()
  const failures: string[] = []
  const forward = (services?: readonly string[]) =>
    forwardPorts(cluster, 'shop', { services, signal: stop.signal, onFailure: text => failures.push(text) })
  before(async () => {
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const user = { kind: 'fixed', credentials: { token: 't' } } as const
    cluster = new Cluster({ server: at, context: 'a', namespace: 'n', tls: { rejectUnauthorized: true }, user }, {})
  })
  after(() => {
    stop.abort()
    cluster.close()
    sockets.close()
    server.closeAllConnections()
    server.close()
  })
  /** Says something, and that it says nothing more; all that is answered. */
  const say = async (port: number, text: string | Buffer): Promise<Buffer> => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.end(text)
    const parts: Buffer[] = []
    try {
      for await (const part of socket) parts.push(part as Buffer)
    } catch (error) {
      // one that is led nowhere is broken off
      assert.equal(errnoOf(error), 'ECONNRESET')
    }
    return Buffer.concat(parts)
  }

  test('is one of this machine, with the bytes of each side whole, also after one has said all', async () => {
    pods = [pod('web-0', false, 80), pod('web-1', true, 80)]
    const sent = Buffer.alloc(3_000_000, 'abcdefg')
    behave = socket => {
      const parts: Buffer[] = []
      socket.on('message', (data: Buffer) => {
        assert.equal(data[0], 0)
        parts.push(data.subarray(1))
        const all = Buffer.concat(parts)
        if (all.length < sent.length) return
        for (let at = 0; at < all.length; at += 32_768)
          socket.send(Buffer.concat([Buffer.of(0), all.subarray(at, at + 32_768)]))
        socket.close()
      })
    }
    await using forwarded = await forward()
    const [only, ...others] = forwarded.reached
    assert.deepEqual(others, [])
    assert.deepEqual(
      { ...only, hostPort: 0 },
      {
        service: 'web',
        name: 'web',
        port: 80,
        protocol: 'tcp',
        host: 'localhost',
        hostPort: 0,
      },
    )
    assert.ok((await say(only!.hostPort, sent)).equals(sent))
    assert.deepEqual(asked, ['/api/v1/namespaces/n/pods/web-1/portforward?ports=80'])
  })

  test('leads to the pod that is ready then, and says what is wrong', async () => {
    pods = [pod('web-1', true, 80)]
    await using forwarded = await forward(['web'])
    const port = forwarded.reached[0]!.hostPort
    asked = []
    behave = socket => {
      socket.send(Buffer.concat([Buffer.of(1), Buffer.from('connection refused')]))
    }
    assert.equal((await say(port, 'x')).length, 0)
    await eventually('what is wrong', () => failures.includes('web: connection refused'))
    pods = [pod('web-2', true, 80)]
    behave = socket => {
      socket.send(Buffer.of(0, 0x61))
      socket.close()
    }
    assert.equal((await say(port, 'x')).toString(), 'a')
    assert.match(asked.at(-1) ?? '', /web-2/)
    pods = []
    assert.equal((await say(port, 'x')).length, 0)
    assert.ok(failures.includes('web: no pod of it is ready'))
    assert.deepEqual((await forward(['other'])).reached, [])
  })

  test('has its own number where that is free', async () => {
    const taken = createTcp()
    await new Promise<void>(done => taken.listen(0, '127.0.0.1', done))
    const { port } = taken.address() as AddressInfo
    pods = [pod('web-1', true, port)]
    {
      await using forwarded = await forward()
      assert.notEqual(forwarded.reached[0]!.hostPort, port)
    }
    await new Promise(done => taken.close(done))
    await using forwarded = await forward()
    assert.equal(forwarded.reached[0]!.hostPort, port)
  })
})
