import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { encodeRequest, Relay } from '../../../src/engine/networks/relay.ts'

const place = { protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 8080 } as const
const target = { address: '10.0.0.2', containerPort: 80 }

describe('encodeRequest()', () => {
  test('writes what native/rootless.h has, IPv4 as IPv6 has it', () => {
    const bytes = encodeRequest({ verb: 'open', place, target })
    assert.equal(bytes.length, 48)
    assert.deepEqual([bytes.readUInt32LE(0), bytes.readUInt32LE(4)], [1, 0])
    assert.deepEqual(
      [8, 10, 12].map(at => bytes.readUInt16LE(at)),
      [6, 8080, 80],
    )
    assert.equal(bytes.toString('hex', 16, 32), '00000000000000000000ffff7f000001')
    assert.equal(bytes.toString('hex', 32, 48), '00000000000000000000ffff0a000002')
  })

  test('writes IPv6 as it is', () => {
    const bytes = encodeRequest({
      verb: 'open',
      place: { ...place, protocol: 'udp', hostIp: '::' },
      target: { ...target, address: 'fd00::2' },
    })
    assert.equal(bytes.readUInt16LE(8), 17)
    assert.equal(bytes.toString('hex', 16, 32), '0'.repeat(32))
    assert.equal(bytes.toString('hex', 32, 48), 'fd000000000000000000000000000002')
  })

  test('refuses SCTP by its name', () =>
    assert.throws(() => encodeRequest({ verb: 'open', place: { ...place, protocol: 'sctp' }, target }), {
      kind: 'unsupported',
      message: /SCTP/,
    }))
})

describe('Relay', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsc-relay-'))
  const path = join(folder, 'ports.sock')
  let server: Server
  let relay: Relay
  let other: Socket
  const said: string[] = []
  before(async () => {
    server = createServer().listen(path)
    const connected = once(server, 'connection')
    relay = await Relay.open(path, line => said.push(line))
    ;[other] = (await connected) as [Socket]
  })
  after(() => {
    relay.close()
    server.close()
    rmSync(folder, { recursive: true })
  })

  const answer = (result: number, port: number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeInt32LE(result, 0)
    bytes.writeUInt32LE(port, 4)
    return bytes
  }

  test('answers come in the order of the questions, also in pieces', async () => {
    const holders = Promise.all([relay.hold(place, target), relay.hold({ ...place, hostPort: 0 }, target)])
    const all = Buffer.concat([answer(1, 8080), answer(2, 40_000)])
    for (const piece of [all.subarray(0, 3), all.subarray(3, 9), all.subarray(9)]) {
      other.write(piece)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    assert.deepEqual(
      (await holders).map(({ port }) => port),
      [8080, 40_000],
    )
  })

  test('a failure has the code of the system', async () => {
    const held = relay.hold(place, target)
    other.write(answer(-98, 0))
    await assert.rejects(held, { code: 'EADDRINUSE' })
  })

  test('when the other side ends, whoever waits hears of it, and so does the log', async () => {
    const held = relay.hold(place, target)
    other.destroy()
    await assert.rejects(held, { kind: 'unavailable' })
    await assert.rejects(relay.hold(place, target), { kind: 'unavailable' })
    assert.match(said.join('\n'), /has ended/)
  })

  test('where nobody listens, it says so', () =>
    assert.rejects(
      Relay.open(join(folder, 'none.sock'), () => undefined),
      { kind: 'unavailable', message: /none\.sock/ },
    ))
})
