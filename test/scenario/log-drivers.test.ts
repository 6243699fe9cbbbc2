/** Containers whose log is sent to a server: every driver, through a real container. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { decodeMulti, encode } from '@msgpack/msgpack'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { journalSocket } from '../../src/engine/logs/forward/journald.ts'
import { makeCertificates } from '../support/certificates.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { datagramServer, type LogServer, streamServer, udpServer } from '../support/log-servers.ts'
import { lacking, program, root } from '../support/needs.ts'

type Config = Readonly<Record<string, string>>
type Event = readonly [tag: string, time: number, record: Readonly<Record<string, string>>, options: { chunk?: string }]

const speak = 'echo "out ü"; sleep 0.1; echo err >&2; sleep 0.1; echo; printf rest'
const texts = ({ received }: LogServer) => received.map(String)
const events = (bytes: readonly Buffer[]) => [...decodeMulti(Buffer.concat(bytes))] as Event[]
/** A line of syslog without what is another each time. */
const plain = (text: string) => text.replace(/\w{3} [ \d]\d \d\d:\d\d:\d\d/, 'TIME').replace(/\[\d+\]/, '[PID]')

describe('log drivers', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  async function api<T>(ask: (client: ReturnType<typeof createClient>) => Promise<T>): Promise<T> {
    const client = createClient(engine.host)
    try {
      return await ask(client)
    } finally {
      client.close()
    }
  }

  function create(Type: string, options: Config, script = speak, AutoRemove = false): Promise<string> {
    const body = {
      Image: 'busybox',
      Cmd: ['sh', '-c', script],
      Labels: { 'com.a': '1' },
      HostConfig: { NetworkMode: 'none', AutoRemove, LogConfig: { Type, Config: options } },
    }
    return api(async client => (await client.call(endpoints.containerCreate, { query: {}, body })).Id)
  }

  const start = (id: string) => api(client => client.call(endpoints.containerStart, { params: { id } }))

  async function run(Type: string, options: Config, script = speak): Promise<string> {
    const id = await create(Type, options, script)
    await start(id)
    return id
  }

  const logs = (id: string) =>
    api(async client => {
      const query = { stdout: true, stderr: true }
      const chunks = await Array.fromAsync(await client.stream(endpoints.containerLogs, { params: { id }, query }))
      return chunks.map(({ data }) => Buffer.from(data).toString()).join('')
    })

  test('syslog over UDP; empty lines are not sent; logs shows the container as ever', async () => {
    await using server = await udpServer()
    const id = await run('syslog', { 'syslog-address': `udp://127.0.0.1:${server.port}`, tag: '{{.ID}}/x' })
    await eventually('three lines', () => server.received.length >= 3)
    const from = `TIME ${id.slice(0, 12)}/x[PID]:`
    assert.deepEqual(texts(server).map(plain), [`<30>${from} out ü\n`, `<27>${from} err\n`, `<30>${from} rest\n`])
    assert.equal(await logs(id), 'out ü\nerr\n\nrest')
  })

  test('syslog over TCP and a Unix stream, with a facility and by RFC 5424', async t => {
    const path = join(folder(t), 's.sock')
    await using tcp = await streamServer()
    await using unix = await streamServer({ path })
    const options = { 'syslog-facility': 'local3', 'syslog-format': 'rfc5424micro', tag: 'web' }
    for (const [server, address] of [
      [tcp, `tcp://127.0.0.1:${tcp.port}`],
      [unix, `unix://${path}`],
    ] as const) {
      await run('syslog', { ...options, 'syslog-address': address }, 'echo one; echo two')
      await eventually('both lines', () => texts(server).join('').includes('two'))
      const lines = texts(server).join('').split('\n')
      assert.match(lines[0]!, /^<158>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ web \d+ web - one$/)
      assert.equal(lines.length, 3)
    }
  })

  test('syslog over TLS, framed by length, to a server whose certificate is known', {
    skip: lacking(program('openssl')),
  }, async t => {
    const certificates = folder(t)
    makeCertificates(certificates)
    const file = (name: string) => join(certificates, name)
    const [cert, key] = [readFileSync(file('server.crt')), readFileSync(file('server.key'))]
    await using server = await streamServer({ tls: { cert, key } })
    const options = { 'syslog-address': `tcp+tls://127.0.0.1:${server.port}`, 'syslog-format': 'rfc5424' }
    await run('syslog', { ...options, 'syslog-tls-ca-cert': file('ca.crt') }, 'echo one')
    await eventually('the line', () => server.received.length > 0)
    const [, length, rest] = /^(\d+) (.*)$/s.exec(texts(server).join(''))!
    assert.equal(Number(length), Buffer.byteLength(rest!))
    assert.match(rest!, /^<30>1 .* - one\n$/)
    await assert.rejects(
      run('syslog', options),
      /failed to initialize logging driver: Cannot connect to "tls:.*certificate/,
    )
    await run('syslog', { ...options, 'syslog-tls-skip-verify': 'true' }, 'echo two')
    await eventually('the second line', () => texts(server).join('').includes('two'))
  })

  test('syslog over Unix datagrams', { skip: lacking(program('python3')) }, async t => {
    const path = join(folder(t), 'g.sock')
    await using server = await datagramServer(path)
    await run('syslog', { 'syslog-address': `unixgram://${path}`, tag: 'web' })
    await eventually('three lines', () => server.received.length >= 3)
    assert.deepEqual(texts(server).map(plain), [
      '<30>TIME web[PID]: out ü\n',
      '<27>TIME web[PID]: err\n',
      '<30>TIME web[PID]: rest\n',
    ])
  })

  const noJournal = existsSync(journalSocket) && 'a machine without a journal of its own'
  test('journald has an entry for each line', { skip: lacking(program('python3'), noJournal) }, async t => {
    const made = mkdirSync(join(journalSocket, '..'), { recursive: true })
    t.after(() => {
      rmSync(journalSocket, { force: true })
      if (made) rmdirSync(join(journalSocket, '..'))
    })
    await assert.rejects(
      run('journald', {}),
      /failed to initialize logging driver: journald is not enabled on this host/,
    )
    await using server = await datagramServer(journalSocket)
    const id = await run('journald', { labels: 'com.a', tag: '{{.ImageName}}' })
    await eventually('four entries', () => server.received.length >= 4)
    const entries = texts(server).map(text => Object.fromEntries(text.split('\n').map(line => line.split('='))))
    assert.deepEqual(
      entries.map(entry => `${entry.PRIORITY} ${entry.MESSAGE} ${entry.CONTAINER_LOG_ORDINAL}`),
      ['6 out ü 1', '3 err 2', '6  3', '6 rest 4'],
    )
    const { CONTAINER_ID_FULL, COM_A, CONTAINER_TAG, CONTAINER_PARTIAL_MESSAGE } = entries[3]!
    assert.deepEqual([CONTAINER_ID_FULL, COM_A, CONTAINER_TAG, CONTAINER_PARTIAL_MESSAGE], [id, '1', 'busybox', 'true'])
  })

  test('gelf over UDP, compressed, and over TCP', async () => {
    await using udp = await udpServer()
    await using tcp = await streamServer()
    await run('gelf', { 'gelf-address': `udp://127.0.0.1:${udp.port}`, labels: 'com.a' })
    await run('gelf', { 'gelf-address': `tcp://127.0.0.1:${tcp.port}`, labels: 'com.a' })
    const overTcp = () => Buffer.concat(tcp.received).toString().split('\0').slice(0, -1)
    await eventually('all messages', () => udp.received.length >= 3 && overTcp().length >= 3)
    for (const messages of [udp.received.map(each => gunzipSync(each).toString()), overTcp()])
      assert.deepEqual(
        messages.map(text => JSON.parse(text)).map(each => [each.short_message, each.level, each['_com.a']]),
        [
          ['out ü', 6, '1'],
          ['err', 3, '1'],
          ['rest', 6, '1'],
        ],
      )
  })

  test('fluentd has an event for each line, and a line that is cut in pieces that belong together', async () => {
    await using server = await streamServer()
    const options = { 'fluentd-address': `127.0.0.1:${server.port}`, tag: 'docker.{{.ID}}' }
    const id = await run('fluentd', options, 'head -c 20000 /dev/zero | tr "\\0" x; echo; echo end >&2')
    await eventually('three events', () => events(server.received).length >= 3)
    const [first, second, end] = events(server.received)
    assert.equal(first![0], `docker.${id.slice(0, 12)}`)
    assert.ok(Math.abs(first![1] - Date.now() / 1000) < 60)
    const pieces = [first, second].map(each => {
      const { log, partial_ordinal, partial_last } = each![2]
      return [log!.length, partial_ordinal, partial_last]
    })
    assert.deepEqual(pieces, [
      [16384, '1', 'false'],
      [20000 - 16384, '2', 'true'],
    ])
    assert.equal(first![2]['partial_id'], second![2]['partial_id'])
    assert.deepEqual([end![2]['log'], end![2]['source'], end![2]['container_id']], ['end', 'stderr', id])
  })

  test('a container does not start when nobody is there to take its log, unless it need not be looked for', async () => {
    const port = await freePort()
    const id = await create('syslog', { 'syslog-address': `tcp://127.0.0.1:${port}` })
    await assert.rejects(start(id), {
      message: `failed to create task for container: failed to initialize logging driver: Cannot connect to "tcp://127.0.0.1:${port}": connection refused`,
    })
    assert.equal(
      (await api(client => client.call(endpoints.containerInspect, { params: { id } }))).State.Status,
      'created',
    )
    await run('fluentd', { 'fluentd-address': `127.0.0.1:${port}`, 'fluentd-async': 'true', tag: 't' }, 'echo kept')
    await using server = await streamServer({ port })
    await eventually('what was kept', () => server.received.length > 0)
    assert.equal(events(server.received)[0]![2]['log'], 'kept')
    await start(id)
  })

  test('a server that goes away and comes back gets every line', async () => {
    let server = await streamServer()
    const { port } = server
    const script = 'i=0; until [ -e /enough ]; do echo line $i; i=$((i+1)); sleep 0.02; done'
    const id = await run('syslog', { 'syslog-address': `tcp://127.0.0.1:${port}`, tag: 'x' }, script)
    await eventually('the first lines', () => texts(server).join('').includes('line 5\n'))
    const before = server
    await server[Symbol.asyncDispose]()
    await eventually('lines that wait', async () => engine.log.includes('it waits and is tried again'))
    server = await streamServer({ port })
    await using _ = server
    await eventually('lines that come again', () => server.received.length > 20)
    await api(client => client.call(endpoints.containerStop, { params: { id }, query: { t: 0 } }))
    const numbers = `${texts(before).join('')}${texts(server).join('')}`.match(/(?<=line )\d+/g)!.map(Number)
    // of what was on its way when the server closed nobody knows whether it came
    const missing = numbers.filter((number, i) => i > 0 && number > numbers[i - 1]! + 1)
    assert.ok(missing.length <= 1, `${numbers}`)
  })

  test('a container that is removed as soon as it ends has sent all it said', async () => {
    await using server = await streamServer()
    const script = 'for i in $(seq 500); do echo line $i; done'
    await start(await create('fluentd', { 'fluentd-address': `127.0.0.1:${server.port}` }, script, true))
    await eventually('all lines', () => events(server.received).length >= 500)
    assert.deepEqual(
      events(server.received).map(each => each[2]['log']),
      Array.from({ length: 500 }, (_, i) => `line ${i + 1}`),
    )
  })

  test('rotated files are compressed while a container writes, also those of when there was no engine', async () => {
    const script = 'i=0; until [ -e /enough ]; do i=$((i+1)); echo "line $i"; [ $((i % 50)) = 0 ] && sleep 0.05; done'
    const options = { 'max-size': '20k', 'max-file': '60', compress: 'true' }
    const id = await run('json-file', options, script)
    const names = () =>
      readdirSync(join(engine.roots.data, 'containers', id)).filter(name => name.includes('-json.log.'))
    await eventually('compressed files', () => names().filter(name => name.endsWith('.gz')).length >= 3)
    await engine.halt('SIGKILL')
    const before = names().length
    await eventually('files of when there is no engine', () => names().length >= before + 3)
    await engine.boot()
    await eventually('those compressed too', () => names().filter(name => !name.endsWith('.gz')).length === 0)
    await api(client => client.call(endpoints.containerKill, { params: { id }, query: {} }))
    await eventually(
      'the end',
      async () => !(await api(client => client.call(endpoints.containerInspect, { params: { id } }))).State.Running,
    )
    const numbers = (await logs(id)).match(/(?<=line )\d+/g)!.map(Number)
    assert.ok(numbers.length > 1000, `${numbers.length}`)
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => numbers[0]! + i),
    )
    assert.equal(numbers[0], 1)
  })

  test('what is kept is compressed only when it has been sent, however slow the server', async () => {
    /** Confirms nothing before it is told to. */
    const gate = Promise.withResolvers<void>()
    const seen: string[] = []
    await using server = await streamServer({
      onData: async (socket, data) => {
        for (const [, , { log }, { chunk }] of events([data])) {
          seen.push(log!)
          await gate.promise
          socket.write(encode({ ack: chunk }))
        }
      },
    })
    const options = {
      'fluentd-address': `127.0.0.1:${server.port}`,
      'fluentd-request-ack': 'true',
      'cache-max-size': '10k',
      'cache-max-file': '50',
    }
    const id = await run('fluentd', options, 'for i in $(seq 1000); do echo line $i; done')
    const names = () =>
      readdirSync(join(engine.roots.data, 'containers', id)).filter(name => name.includes('-json.log.'))
    await eventually('rotated files', () => names().length > 5)
    await eventually('the first line', () => seen.length > 0)
    assert.deepEqual(
      names().filter(name => name.endsWith('.gz')),
      [],
    )
    gate.resolve()
    await eventually('the last line', () => seen.includes('line 1000'), 30_000)
    const all = Array.from({ length: 1000 }, (_, i) => `line ${i + 1}`)
    assert.deepEqual(seen, all)
    // the next run finds everything sent
    await start(id)
    await eventually('compressed files', () => names().some(name => name.endsWith('.gz')))
    assert.deepEqual((await logs(id)).split('\n').slice(0, 1000), all)
  })

  test('with cache-disabled there is nothing for logs to show', async () => {
    await using server = await udpServer()
    const options = { 'syslog-address': `udp://127.0.0.1:${server.port}`, 'cache-disabled': 'true' }
    const id = await run('syslog', options)
    await eventually('the lines', () => server.received.length >= 3)
    await assert.rejects(logs(id), /configured logging driver does not support reading/)
  })

  test('an engine killed between two lines loses none, and sends at most the one on its way again', async () => {
    /** Confirms events, but for the first time that it sees "line 3": there the engine is killed. */
    let held = false
    const seen: string[] = []
    await using server = await streamServer({
      onData: (socket, data) => {
        for (const [, , { log }, { chunk }] of events([data])) {
          seen.push(log!)
          if (log === 'line 3' && !held) held = true
          else socket.write(encode({ ack: chunk }))
        }
      },
    })
    const options = { 'fluentd-address': `127.0.0.1:${server.port}`, 'fluentd-request-ack': 'true' }
    await run('fluentd', options, 'for i in 1 2 3 4 5 6; do echo line $i; sleep 0.05; done')
    await eventually('the third line', () => held)
    await engine.halt('SIGKILL')
    await engine.boot()
    await eventually('the last line', () => seen.includes('line 6'))
    assert.deepEqual(
      seen,
      [1, 2, 3, 3, 4, 5, 6].map(i => `line ${i}`),
    )
  })

  function folder(t: TestContext): string {
    const path = mkdtempSync(join(engine.folder, 'logs-'))
    t.after(() => rmSync(path, { recursive: true, force: true }))
    return path
  }
})
