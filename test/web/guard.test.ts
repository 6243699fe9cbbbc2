import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cookieOf, isLoopback, placeOf, refusal } from '../../src/web/guard.ts'

const names = ['localhost']
const asked = (headers: Readonly<Record<string, string>>, method = 'GET', upgrade = false) =>
  refusal({ method, headers, upgrade }, names)

describe('refusal()', () => {
  for (const host of ['127.0.0.1:4180', 'localhost:4180', '[::1]:4180', '192.168.1.7:80', 'localhost'])
    test(`lets ${host} pass`, () => {
      assert.equal(asked({ host }), undefined)
      assert.equal(asked({ host, origin: `http://${host}` }, 'POST'), undefined)
    })

  for (const host of [
    'evil.example:4180',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil',
    '',
    'a b',
  ])
    test(`refuses the name "${host}", by which a foreign page could reach us`, () => {
      assert.match(asked({ host })!, /under this name/)
    })

  test('refuses pages of another origin, whatever they do', () => {
    const host = '127.0.0.1:4180'
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:4181', 'https://127.0.0.1:4180'])
      for (const method of ['GET', 'POST'])
        for (const upgrade of [false, true]) assert.match(asked({ host, origin }, method, upgrade)!, /another origin/)
    assert.match(asked({ host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })!, /another origin/)
    assert.match(asked({ host, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' })!, /another origin/)
  })

  test('lets a link from elsewhere lead here', () => {
    const host = '127.0.0.1:4180'
    assert.equal(asked({ host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }), undefined)
    assert.match(
      asked({ host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 'POST')!,
      /Not without the origin/,
    )
  })

  test('refuses what changes something, and connections, without an origin', () => {
    assert.match(asked({ host: '127.0.0.1:1' }, 'POST')!, /origin/)
    assert.match(asked({ host: '127.0.0.1:1' }, 'GET', true)!, /origin/)
  })
})

test('cookieOf() finds one of several', () => {
  assert.equal(cookieOf('a=1; tscompose-1=x-y_z; b=2', 'tscompose-1'), 'x-y_z')
  assert.equal(cookieOf('tscompose-11=no', 'tscompose-1'), undefined)
  assert.equal(cookieOf(undefined, 'a'), undefined)
})

test('isLoopback() takes this machine alone', () => {
  for (const address of ['127.0.0.1', '127.8.9.1', '::1', 'localhost']) assert.ok(isLoopback(address))
  for (const address of ['0.0.0.0', '::', '10.0.0.1', 'host', '127.0.0.1.nip.io']) assert.ok(!isLoopback(address))
})

test('placeOf() takes places of ours alone', () => {
  assert.equal(placeOf('/s/shop?a=1')?.pathname, '/s/shop')
  for (const target of ['//', '//evil.example/x', '*', 'http://evil.example/', '', undefined, 'x'])
    assert.equal(placeOf(target), undefined)
})
