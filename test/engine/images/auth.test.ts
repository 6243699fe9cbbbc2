import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeRegistryAuth, decodeRegistryConfig } from '../../../src/engine/images/auth.ts'
import { parseChallenge } from '../../../src/engine/images/registry/authorizer.ts'
import { isFailure } from '../../../src/lib/failure.ts'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('decodeRegistryAuth()', () => {
  test('takes no header, an empty one and {} for no credentials', () => {
    for (const header of [undefined, '', 'e30=', encode({}), encode({ username: '', password: '' })])
      assert.equal(decodeRegistryAuth(header), undefined)
  })

  test('reads name and password, apart or joined, and tokens', () => {
    const alice = { username: 'alice', password: 'a:b' }
    for (const content of [alice, { auth: Buffer.from('alice:a:b').toString('base64') }]) {
      const { username, password } = decodeRegistryAuth(encode({ ...content, serveraddress: 'x' }))!
      assert.deepEqual({ username, password }, alice)
    }
    assert.equal(decodeRegistryAuth(encode({ identitytoken: 't' }))?.identityToken, 't')
    assert.equal(decodeRegistryAuth(encode({ registrytoken: 't' }))?.registryToken, 't')
  })

  test('refuses anything else without repeating the secret', () => {
    for (const header of [
      'hunter2',
      Buffer.from('{"password":"hunter2"').toString('base64url'),
      encode({ password: ['hunter2'] }),
    ])
      assert.throws(
        () => decodeRegistryAuth(header),
        (error: Error) => {
          assert.match(error.message, /^invalid X-Registry-Auth header/)
          assert.ok(!error.message.includes('hunter2') && error.cause === undefined)
          return true
        },
      )
  })
})

test('parseChallenge() reads scheme and parameters, quoted or not', () => {
  assert.deepEqual(parseChallenge('Bearer realm="https://a/t",service="b c", scope=x'), {
    scheme: 'bearer',
    parameters: Object.assign(Object.create(null), { realm: 'https://a/t', service: 'b c', scope: 'x' }),
  })
  assert.equal(parseChallenge('Basic').scheme, 'basic')
  assert.equal(parseChallenge('').scheme, '')
})

test('decodeRegistryConfig() finds credentials by registry, and takes null for none, as Go’s clients send it', () => {
  const header = (data: unknown) => Buffer.from(JSON.stringify(data)).toString('base64url')
  const of = decodeRegistryConfig(header({ 'https://index.docker.io/v1/': { username: 'me', password: 'secret' } }))
  assert.equal(of('docker.io')?.username, 'me')
  assert.equal(of('elsewhere.example'), undefined)
  for (const none of [undefined, '', header(null), header({})])
    assert.equal(decodeRegistryConfig(none)('docker.io'), undefined)
  for (const wrong of [header([]), header({ a: 'secret' }), 'secret'])
    assert.throws(
      () => decodeRegistryConfig(wrong),
      error => isFailure(error, 'invalid') && !error.message.includes('secret'),
    )
})
