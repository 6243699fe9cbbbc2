import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { describe, test } from 'node:test'
import packet from 'dns-packet'
import { Frames, forward, frame } from '../../../src/engine/dns/forward.ts'
import { fitted, type Query, readQuery, refusal, reverseAddress } from '../../../src/engine/dns/message.ts'
import { Names } from '../../../src/engine/dns/names.ts'
import { resolve, type View } from '../../../src/engine/dns/resolve.ts'
import { errnoOf } from '../../../src/lib/failure.ts'

const query = (name: string, type: packet.RecordType = 'A', more: Partial<packet.Packet> = {}) =>
  packet.encode({
    type: 'query',
    id: 4711,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type, name } as packet.Question],
    ...more,
  })

interface Decoded {
  readonly id: number
  readonly rcode: string
  readonly flag_tc: boolean
  readonly answers: Array<{ readonly data: unknown }>
}

async function ask(view: View, bytes: Buffer, tcp = false): Promise<Decoded> {
  const result = await resolve(bytes, view, tcp)
  return packet.decode(result!.response) as unknown as Decoded
}

function view(outside?: View['outside']): View {
  const names = new Names()
  const member = { networkId: 'n', networkName: 'front', internal: false }
  names.add({ ...member, containerId: 'me', names: ['me'], ipv4: '10.1.0.2' })
  names.add({ ...member, containerId: 'db', names: ['db'], ipv4: '10.1.0.3' })
  names.add({ ...member, containerId: 'six', names: ['six'], ipv4: '10.1.0.4', ipv6: 'fd00::4' })
  for (let i = 0; i < 60; i++) names.add({ ...member, containerId: `r${i}`, names: ['many'], ipv4: `10.1.1.${i}` })
  names.add({ ...member, networkId: 'other', containerId: 'far', names: ['far'], ipv4: '10.2.0.2' })
  return { names, containerId: 'me', outside }
}

/** A port that is free for both: another program may have the one of TCP. */
async function boundTo(server: Server): Promise<{ readonly socket: Socket; readonly port: number }> {
  for (;;) {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    try {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
      return { socket, port }
    } catch (error) {
      socket.close()
      if (errnoOf(error) !== 'EADDRINUSE') throw error
    }
  }
}

/** A name server on loopback that answers by `answer`, and counts. */
async function upstream(
  context: { after(done: () => void): void },
  answer: (question: Buffer) => readonly Buffer[],
): Promise<{ readonly address: string; readonly port: number; asked: number }> {
  const server = createServer(stream => {
    const frames = new Frames(question => {
      for (const response of answer(question)) stream.write(frame(response))
    })
    stream.on('data', chunk => frames.take(chunk))
  })
  const { socket, port } = await boundTo(server)
  context.after(() => {
    socket.close()
    server.close()
  })
  const counted = { address: '127.0.0.1', port, asked: 0 }
  socket.on('message', (question, client) => {
    counted.asked++
    for (const response of answer(question)) socket.send(response, client.port, client.address)
  })
  return counted
}

/** An answer to `question` with these addresses. */
function addresses(question: Buffer, data: readonly string[], change: Partial<packet.Packet> = {}): Buffer {
  const { id, questions } = packet.decode(question)
  const answers = data.map(each => ({ type: 'A' as const, name: questions![0]!.name, data: each, ttl: 60 }))
  return packet.encode({ type: 'response', id: id!, questions: questions!, answers, ...change })
}

describe('resolve()', () => {
  test('answers an own name, and says of a missing family that there is nothing', async () => {
    const reply = await ask(view(), query('DB'))
    assert.deepEqual([reply.id, reply.rcode, reply.answers.map(a => a.data)], [4711, 'NOERROR', ['10.1.0.3']])
    const six = await ask(view(), query('db', 'AAAA'))
    assert.deepEqual([six.rcode, six.answers], ['NOERROR', []])
    assert.deepEqual(
      (await ask(view(), query('six', 'AAAA'))).answers.map(a => a.data),
      ['fd00::4'],
    )
    assert.deepEqual((await ask(view(), query('db', 'MX'))).rcode, 'NOERROR')
    assert.deepEqual(
      (await ask(view(), query('six', 'ANY' as packet.RecordType))).answers.map(a => a.data),
      ['10.1.0.4', 'fd00::4'],
    )
  })

  test('has all the responses to an own name, each with another of its addresses first', async () => {
    const { names } = view()
    const member = { networkId: 'n', networkName: 'front', internal: false, names: ['web'] }
    for (const i of [1, 2, 3]) names.add({ ...member, containerId: `w${i}`, ipv4: `10.1.2.${i}` })
    const firsts = async (name: string) => {
      const { own } = (await resolve(query(name), { names, containerId: 'me', outside: undefined }, false))!
      return own!.map(each => (packet.decode(each) as unknown as Decoded).answers[0]!.data)
    }
    assert.deepEqual(await firsts('web'), ['10.1.2.1', '10.1.2.2', '10.1.2.3'])
    const many = await firsts('many')
    assert.deepEqual([many.length, new Set(many).size], [16, 16])
  })

  test('answers PTR of both families', async () => {
    const names = view()
    assert.equal((await ask(names, query('3.0.1.10.in-addr.arpa', 'PTR'))).answers[0]!.data, 'db.front')
    const arpa = `${'fd00'.padEnd(28, '0').concat('0004').split('').reverse().join('.')}.ip6.arpa`
    assert.equal((await ask(names, query(arpa, 'PTR'))).answers[0]!.data, 'six.front')
  })

  test('never asks outside for a container’s name that this one cannot see', async t => {
    const server = await upstream(t, question => [addresses(question, ['6.6.6.6'])])
    assert.equal((await ask(view({ upstreams: [server], from: undefined }), query('far'))).rcode, 'NXDOMAIN')
    assert.equal(server.asked, 0)
  })

  test('forwards other names and gives the answer under the asked id', async t => {
    const server = await upstream(t, question => [addresses(question, ['192.0.2.7'])])
    const names = view({ upstreams: [server], from: undefined })
    const reply = await ask(names, query('example.test'))
    assert.deepEqual([reply.id, reply.answers.map(a => a.data)], [4711, ['192.0.2.7']])
    assert.deepEqual(
      (await ask(names, query('example.test'), true)).answers.map(a => a.data),
      ['192.0.2.7'],
    )
  })

  test('a container without way out gets its answer at once', async () => {
    assert.equal((await ask(view(), query('example.test'))).rcode, 'SERVFAIL')
    assert.equal((await ask(view(), query('example'))).rcode, 'NXDOMAIN')
  })

  test('refuses what it cannot read and drops what is no query', async () => {
    assert.equal(await resolve(Buffer.from('short'), view(), false), undefined)
    assert.equal(await resolve(addresses(query('x'), []), view(), false), undefined)
    const broken = Buffer.concat([query('x').subarray(0, 12), Buffer.from([63, 65])])
    assert.equal(
      (packet.decode((await resolve(broken, view(), false))!.response) as unknown as Decoded).rcode,
      'FORMERR',
    )
    const update = Buffer.from(query('x'))
    update[2] = 5 << 3
    assert.equal(
      (packet.decode((await resolve(update, view(), false))!.response) as unknown as Decoded).rcode,
      'NOTIMP',
    )
  })

  test('survives any bytes', async () => {
    let seed = 1
    const random = () => (seed = (seed * 48271) % 2147483647)
    const whole = query('some.name.test', 'A', {
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 4096,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    })
    for (let i = 0; i < 3000; i++) {
      const bytes = Buffer.from(whole.subarray(0, 12 + (random() % (whole.length - 11))))
      for (let flips = random() % 4; flips > 0; flips--) bytes[random() % bytes.length] = random() & 255
      const result = await resolve(bytes, view(), false)
      if (result?.query) fitted(result.response, result.query)
    }
  })
})

describe('fitted()', () => {
  test('cuts an answer to what the client takes and marks it; over EDNS it fits', async () => {
    const asked = readQuery(query('many')) as Query
    const { response } = (await resolve(asked.bytes, view(), false))!
    const cut = fitted(response, asked)
    const decoded = packet.decode(cut) as unknown as Decoded
    assert.ok(cut.length <= 512 && decoded.flag_tc && decoded.answers.length === 0)
    const opt = {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 4096,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    } as const
    const wide = readQuery(query('many', 'A', { additionals: [{ ...opt, options: [] }] })) as Query
    const whole = fitted((await resolve(wide.bytes, view(), false))!.response, wide)
    assert.equal((packet.decode(whole) as unknown as Decoded).answers.length, 60)
  })
})

describe('forward()', () => {
  const asked = readQuery(query('example.test')) as Query

  test('takes no answer to another question or under another id', async t => {
    const server = await upstream(t, question => {
      const other = addresses(query('evil.test'), ['6.6.6.6'], { id: question.readUInt16BE(0) })
      const forged = addresses(question, ['6.6.6.6'], { id: (question.readUInt16BE(0) + 1) & 0xffff })
      return [other, forged, addresses(question, ['192.0.2.7'])]
    })
    const response = await forward(asked, { upstreams: [server], tcp: false, from: undefined })
    assert.equal((packet.decode(response!) as unknown as Decoded).answers[0]!.data, '192.0.2.7')
  })

  test('goes to the next server when one refuses the connection', async t => {
    const server = await upstream(t, question => [addresses(question, ['192.0.2.7'])])
    const closed = createSocket('udp4').bind(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address()
    closed.close()
    const upstreams = [{ address: '127.0.0.1', port }, server]
    assert.ok(await forward(asked, { upstreams, tcp: false, from: undefined }))
    assert.ok(await forward(asked, { upstreams, tcp: true, from: undefined }))
  })

  test('gives up on a server that is silent after two seconds', async t => {
    const server = await upstream(t, () => [])
    const started = performance.now()
    const names = view({ upstreams: [server], from: undefined })
    assert.equal((await ask(names, query('example.test'))).rcode, 'SERVFAIL')
    assert.ok(performance.now() - started < 3000)
    // from then on a name without a dot is not worth the wait
    assert.equal((await ask(names, query('example'))).rcode, 'NXDOMAIN')
    assert.equal(server.asked, 1)
  })
})

test('Frames gives whole messages however the stream is cut', () => {
  const messages: string[] = []
  const frames = new Frames(message => messages.push(message.toString()))
  const stream = Buffer.concat(['one', 'two', ''].map(text => frame(Buffer.from(text))))
  for (const byte of stream) frames.take(Buffer.from([byte]))
  assert.deepEqual(messages, ['one', 'two', ''])
})

test('refusal() keeps id and question', () => {
  const decoded = packet.decode(refusal(query('a.test'), 3))
  assert.equal(decoded.id, 4711)
  assert.equal(decoded.questions![0]!.name, 'a.test')
})

test('reverseAddress() reads both arpa forms and nothing else', () => {
  assert.equal(reverseAddress('4.3.2.1.in-addr.arpa.'), '1.2.3.4')
  assert.equal(reverseAddress('x.in-addr.arpa'), undefined)
  assert.equal(reverseAddress('example.test'), undefined)
})
