import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import type { ServerTls } from '../../src/engine/server/answer.ts'
import { inheritedSocket, listenersOf } from '../../src/engine/server/listeners.ts'
import { isFailure } from '../../src/lib/failure.ts'
import { makeCertificate, makeCertificates } from '../support/certificates.ts'
import { lacking, program } from '../support/needs.ts'
import { serving } from './serving.ts'
import { echo } from './session.ts'

describe('a server with certificates', { skip: lacking(program('openssl')) }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-tls-'))
  const at = (...names: string[]) => join(folder, ...names)
  let tls: ServerTls

  /** A folder as DOCKER_CERT_PATH has it. */
  function clientFolder(name: string, ca: string, cert?: string): string {
    mkdirSync(at(name))
    copyFileSync(at(`${ca}.crt`), at(name, 'ca.pem'))
    if (cert !== undefined) {
      copyFileSync(at(`${cert}.crt`), at(name, 'cert.pem'))
      copyFileSync(at(`${cert}.key`), at(name, 'key.pem'))
    }
    return at(name)
  }

  before(() => {
    makeCertificates(folder)
    makeCertificate(folder, 'other')
    makeCertificate(folder, 'stranger', { by: 'other' })
    tls = {
      ca: readFileSync(at('ca.crt')),
      cert: readFileSync(at('server.crt')),
      key: readFileSync(at('server.key')),
    }
  })
  after(() => rmSync(folder, { recursive: true }))

  const start = async (handlers: Parameters<typeof serving>[0] = {}) => {
    const on = await serving(handlers, {
      listeners: [{ kind: 'tcp', host: '127.0.0.1', port: 0, insecure: false, tls }],
    })
    return { on, host: on.server.sockets[1]!.address }
  }

  test('answers who has one of its authority, by whatever name it was reached', async () => {
    const { on, host } = await start()
    await using _on = on
    const folder = clientFolder('good', 'ca', 'client')
    for (const each of [host, host.replace('127.0.0.1', 'localhost')]) {
      const client = createClient(each, { tls: { folder, verify: true } })
      assert.equal(await client.call(endpoints.ping, {}), 'OK')
      client.close()
    }
  })

  test('hands connections over, and a half-close is the end of stdin and no more', async () => {
    const process = echo()
    const { on, host } = await start({ containerAttach: () => process.session })
    await using _on = on
    const client = createClient(host, { tls: { folder: clientFolder('half', 'ca', 'client'), verify: true } })
    const query = { stream: true, stdin: true }
    const attached = await client.hijack(endpoints.containerAttach, { params: { id: 'x' }, query })
    attached.socket.write('hello')
    const output = attached.output[Symbol.asyncIterator]()
    assert.equal(Buffer.from((await output.next()).value!.data).toString(), 'hello')
    attached.socket.end()
    assert.equal((await output.next()).value!.stream, 'stderr')
    assert.equal((await output.next()).done, true)
    client.close()
  })

  test('lets nobody in without one, with one of another authority, or in plain text', async () => {
    const { on, host } = await start()
    await using _on = on
    const rows = [
      [createClient(host, { tls: { folder: clientFolder('none', 'ca'), verify: true } }), /certificate/],
      [createClient(host, { tls: { folder: clientFolder('foreign', 'ca', 'stranger'), verify: true } }), /certificate/],
      [createClient(host), /DOCKER_TLS_VERIFY/],
    ] as const
    for (const [client, hint] of rows) {
      await assert.rejects(
        client.call(endpoints.ping, {}),
        error => isFailure(error, 'unavailable') && hint.test(`${error.message} ${error.hint}`),
      )
      client.close()
    }
  })

  test('is not believed when another authority has signed for it', async () => {
    const { on, host } = await start()
    await using _on = on
    const client = createClient(host, { tls: { folder: clientFolder('wary', 'other', 'client'), verify: true } })
    await assert.rejects(client.call(endpoints.ping, {}), error => isFailure(error, 'unavailable'))
    client.close()
  })

  test('a client says which of its files it cannot read', () => {
    const folder = clientFolder('torn', 'ca', 'client')
    rmSync(join(folder, 'key.pem'))
    assert.throws(() => createClient('tcp://h', { tls: { folder, verify: true } }), {
      kind: 'invalid',
      message: new RegExp(`${join(folder, 'key.pem')}": ENOENT`),
    })
  })

  test('inheritedSocket() takes the one socket that was opened for this process', () => {
    assert.equal(inheritedSocket({}, 7), undefined)
    assert.equal(inheritedSocket({ LISTEN_PID: '8', LISTEN_FDS: '1' }, 7), undefined)
    assert.equal(inheritedSocket({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7), 3)
    assert.throws(() => inheritedSocket({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 7), { kind: 'invalid' })
  })

  test('listenersOf() wants all three files, and reads them', () => {
    const flags = { socket: '/s', listen: ['tcp://0.0.0.0:2376'] }
    const files = { tlscacert: at('ca.crt'), tlscert: at('server.crt'), tlskey: at('server.key') }
    const [unix, tcp] = listenersOf({ ...flags, ...files })
    assert.deepEqual(unix, { kind: 'unix', path: '/s', group: undefined })
    assert.deepEqual(tcp, { kind: 'tcp', host: '0.0.0.0', port: 2376, insecure: false, tls })
    assert.throws(() => listenersOf({ ...flags, tlscert: at('server.crt') }), {
      message: 'Cannot listen with TLS: --tlscacert and --tlskey must be given too',
    })
    assert.throws(() => listenersOf({ ...flags, ...files, tlskey: at('nope') }), {
      message: /--tlskey ".*nope": ENOENT/,
    })
  })
})
