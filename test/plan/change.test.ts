import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Change, changesText, changeText, hashText, looksSecret } from '../../src/plan/change.ts'

describe('changeText() shows', () => {
  const long = `${'a'.repeat(40)}${'z'.repeat(40)}`
  const cases: readonly (readonly [Change, string])[] = [
    [{ path: 'image', from: 'a', to: 'b' }, 'image a→b'],
    [{ path: 'ports', to: '8443:443' }, 'ports +8443:443'],
    [{ path: 'environment.TAG', from: '1' }, 'environment.TAG -1'],
    [{ path: 'init' }, 'init changed'],
    [{ path: 'command', from: '', to: 'a\nb\n' }, 'command ""→a\\nb\\n'],
    [{ path: 'command', to: 'x'.repeat(60) }, `command +${'x'.repeat(60)}`],
    [{ path: 'command', to: long }, `command +${'a'.repeat(30)}…${'z'.repeat(29)}`],
  ]
  for (const [change, text] of cases) test(text, () => assert.equal(changeText(change), text))

  test('several in one line', () => {
    assert.equal(changesText([{ path: 'init' }, { path: 'image', to: 'b' }]), 'init changed · image +b')
    assert.equal(changesText([]), '')
  })
})

test('hashText() is the same for the same value, and short', () => {
  assert.match(hashText({ a: 1 }), /^#[0-9a-f]{8}$/)
  assert.equal(hashText({ a: 1, b: 2 }), hashText({ b: 2, a: 1 }))
  assert.notEqual(hashText('a'), hashText('b'))
})

describe('a value had better not be shown', () => {
  for (const name of [
    ...['DB_PASSWORD', 'PGPASS', 'db.pwd', 'Secret', 'API_TOKEN', 'ssh_key', 'CREDENTIALS', 'BASIC_AUTH'],
    ...['PRIVATE', 'COOKIE', 'SALT', 'SIGNATURE', 'SENTRY_DSN'],
  ])
    test(`called ${name}`, () => assert.ok(looksSecret(name, 'x')))

  for (const name of ['PASSIVE_MODE', 'keyboard', 'AUTHOR', 'TAG', 'HOST', 'ports'])
    test(`but not called ${name}`, () => assert.ok(!looksSecret(name, 'x')))

  for (const value of [
    ...['mysql --password x', 'TOKEN=x', 'password: x', "{'secret': 'x'}", '{"pwd": "x"}', 'passphrase=x', 'pass=x'],
    ...['api-key: x', 'API_KEY=x', 'apikey=x', 'credential=x', 'credentials=x', 'mysqld --password   x'],
    ...['postgres://user:x@db/shop', 'redis://:x@cache', '-----BEGIN PRIVATE KEY-----'],
  ])
    test(`that reads ${value}`, () => assert.ok(looksSecret('command', value)))

  for (const value of [
    ...['passing', 'the password', 'token', 'secret ', 'http://db:80/x@y', 'user:x@db', 'http://user@db', 'BEGIN'],
    ...['https://db/a:b@c', 'postgres://user:@db'],
  ])
    test(`but not one that reads ${value}`, () => assert.ok(!looksSecret('command', value)))
})
