import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeRegistryAuth } from '../../../src/engine/images/auth.ts'
import { parseChallenge } from '../../../src/engine/images/registry/authorizer.ts'

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
