/** Datagrams relayed on this machine: from a client, to where the port leads now, and their answers. */
import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, test } from 'node:test'
import { UdpRelay } from '../../../src/engine/networks/port-relay.ts'
import { eventually } from '../../support/eventually.ts'

const open: Socket[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.close()
})

interface Peer {
  readonly socket: Socket
  readonly port: number
  readonly heard: string[]
  /** By whom, for each of what was heard. */
  readonly by: RemoteInfo[]
}

async function peer(): Promise<Peer> {
  const socket = createSocket('udp4')
  open.push(socket)
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const [heard, by]: [string[], RemoteInfo[]] = [[], []]
  socket.on('message', (bytes, from) => {
    heard.push(bytes.toString())
    by.push(from)
  })
  return { socket, port: socket.address().port, heard, by }
}

const target = ({ port }: Peer) => ({ address: '127.0.0.1', containerPort: port })

async function relayed() {
  const [before, after, client, front] = await Promise.all([peer(), peer(), peer(), peer()])
  const relay = new UdpRelay(front.socket, target(before))
  front.socket.on('message', (bytes, from) => relay.take(bytes, from))
  const ask = (text: string) => client.socket.send(text, front.port, '127.0.0.1')
  return { before, after, client, front, relay, ask }
}

test('what was taken before a port leads elsewhere is answered by whoever has got it, what comes later by the other', async t => {
  const { before, after, client, relay, ask } = await relayed()
  t.after(() => relay.close())
  ask('one')
  await eventually('the first', () => before.heard.length === 1)
  relay.lead(target(after))
  ask('two')
  await eventually('the second', () => after.heard.length === 1)
  before.socket.send('answer one', before.by[0]!.port, '127.0.0.1')
  after.socket.send('answer two', after.by[0]!.port, '127.0.0.1')
  await eventually('both answers', () => client.heard.length === 2)
  assert.deepEqual([...client.heard].sort(), ['answer one', 'answer two'])
  assert.deepEqual([before.heard, after.heard], [['one'], ['two']])
})

test('nobody but who was asked answers', async t => {
  const { before, after, client, relay, ask } = await relayed()
  t.after(() => relay.close())
  ask('one')
  await eventually('it', () => before.heard.length === 1)
  after.socket.send('not asked', before.by[0]!.port, '127.0.0.1')
  before.socket.send('answer', before.by[0]!.port, '127.0.0.1')
  await eventually('an answer', () => client.heard.length > 0)
  assert.deepEqual(client.heard, ['answer'])
})

test('a client keeps its way, and a relay that is closed has none open', async () => {
  const { before, relay, ask } = await relayed()
  ask('one')
  ask('two')
  await eventually('both', () => before.heard.length === 2)
  assert.equal(before.by[0]!.port, before.by[1]!.port)
  relay.close()
  // its port is free again
  const again = createSocket('udp4')
  open.push(again)
  again.bind(before.by[0]!.port, '0.0.0.0')
  await once(again, 'listening')
})
