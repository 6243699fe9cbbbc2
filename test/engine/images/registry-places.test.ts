/** Registries whose names lead to this machine or into a range that may be spoken to without TLS. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { type Address, Places } from '../../../src/engine/images/registry/places.ts'
import { defaultSettings } from '../../../src/engine/images/registry/settings.ts'
import { Transport } from '../../../src/engine/images/registry/transport.ts'

const soon = () => AbortSignal.timeout(20_000)
const at = (...addresses: readonly string[]): Address[] =>
  addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))

describe('the place of a registry', () => {
  const names: Record<string, Address[]> = {
    'here.test': at('127.0.0.1', '192.0.2.1'),
    'near.test': at('10.1.0.9', '192.0.2.1'),
    'far.test': at('192.0.2.1', '2001:db8::1'),
  }
  const asked: string[] = []
  const lookup = async (name: string) => {
    asked.push(name)
    return names[name] ?? Promise.reject(new Error('ENOTFOUND'))
  }
  const settings = { ...defaultSettings, insecure: ['10.1.0.0/16', 'named.test'] }
  const of = (host: string, places = new Places(settings, lookup)) => places.of(new URL(`https://${host}`))

  test('is insecure by one address of its name, to which it is pinned', async () => {
    assert.deepEqual(await of('here.test:5000'), { insecure: true, here: true, pinned: at('127.0.0.1') })
    assert.deepEqual(await of('near.test'), { insecure: true, here: false, pinned: at('10.1.0.9') })
  })

  test('is secure where no address is in a range, and where the name stands for nothing', async () => {
    for (const name of ['far.test', 'nothing.test', '192.0.2.7'])
      assert.deepEqual(await of(name), { insecure: false, here: false })
  })

  test('is found without asking where the name says it, and asked for once', async () => {
    asked.length = 0
    const places = new Places(settings, lookup)
    assert.deepEqual(await of('named.test', places), { insecure: true, here: false })
    assert.deepEqual(await of('127.0.0.1:5000', places), { insecure: true, here: true })
    await Promise.all([of('far.test', places), of('far.test:1', places)])
    assert.deepEqual(asked, ['far.test'])
  })

  test('is not looked up behind a proxy, which does that itself', async () => {
    const places = new Places({ ...settings, proxy: { https: 'http://proxy.test' } }, lookup)
    assert.deepEqual(await of('here.test', places), { insecure: false, here: false })
  })
})

describe('requests to a registry by a name', () => {
  const patient = { ...defaultSettings, certificates: [], patience: 5_000 }
  const transport = (addresses: () => Address[]) => new Transport(patient, new Places(patient, async () => addresses()))

  test('go to this machine without TLS, and to nowhere else when the name is another by then', async t => {
    const server = createServer((_request, response) => response.end('yes')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const host = `registry.test:${(server.address() as AddressInfo).port}`
    let addresses = at('127.0.0.1')
    const to = transport(() => addresses)
    assert.equal(await to.scheme(host, soon()), 'http:')
    addresses = at('192.0.2.1')
    const answer = await to.send(new URL(`http://${host}/v2/`), { signal: soon() })
    assert.equal(answer.statusCode, 200)
    answer.resume()
  })

  test('may not be sent to this machine by another', async () => {
    const places = new Places(patient, async name => at(name === 'here.test' ? '127.0.0.1' : '192.0.2.1'))
    const to = new Transport(patient, places)
    await assert.rejects(to.check(new URL('https://here.test/a'), new URL('https://far.test/')), {
      kind: 'denied',
      message: /it leads to this machine/,
    })
    await to.check(new URL('http://here.test/a'), new URL('http://here.test/'))
    await assert.rejects(to.check(new URL('http://far.test/a'), new URL('https://far.test/')), /it is not https/)
  })
})
