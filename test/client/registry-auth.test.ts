import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { registryAuth, registryOf } from '../../src/client/registry-auth.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-auth-'))
after(() => rmSync(folder, { recursive: true }))
const env = { DOCKER_CONFIG: folder, PATH: `${folder}:/usr/bin:/bin` }

async function decoded(reference: string, config: unknown) {
  writeFileSync(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config))
  const header = await registryAuth(reference, env)
  return header && JSON.parse(Buffer.from(header, 'base64url').toString())
}

function helper(name: string, script: string): void {
  const file = join(folder, `docker-credential-${name}`)
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

describe('registry credentials', () => {
  test('registryOf() tells the registry of a reference', () => {
    const hub = 'https://index.docker.io/v1/'
    assert.deepEqual(
      ['nginx', 'me/app:1', 'docker.io/me/app', 'localhost/app', 'r.example:5000/a/b@sha256:0', '127.0.0.1:5000/x'].map(
        registryOf,
      ),
      [hub, hub, hub, 'localhost', 'r.example:5000', '127.0.0.1:5000'],
    )
  })

  test('registryAuth() finds name and password, however the key is written', async () => {
    const auth = Buffer.from('me:pass:word').toString('base64')
    for (const key of ['r.example:5000', 'https://r.example:5000', 'http://r.example:5000/v2/'])
      assert.deepEqual(await decoded('r.example:5000/a', { auths: { [key]: { auth } } }), {
        username: 'me',
        password: 'pass:word',
        serveraddress: 'r.example:5000',
      })
  })

  test('registryAuth() never sends the credentials of another registry', async () => {
    const auth = Buffer.from('me:secret').toString('base64')
    assert.equal(await decoded('r.example.org/a', { auths: { 'r.example': { auth } } }), undefined)
    assert.equal(await decoded('a', { auths: { 'r.example': { auth } } }), undefined)
  })

  test('registryAuth() asks the helper of the registry on its standard input', async () => {
    helper('good', 'read r; [ "$1" = get ] && printf \'{"ServerURL":"%s","Username":"u-%s","Secret":"s"}\' "$r" "$r"')
    assert.deepEqual(await decoded('r.example/a', { credHelpers: { 'r.example': 'good' } }), {
      username: 'u-r.example',
      password: 's',
      serveraddress: 'r.example',
    })
    helper('token', 'echo \'{"Username":"<token>","Secret":"t"}\'')
    assert.equal((await decoded('r.example/a', { credsStore: 'token' })).identitytoken, 't')
  })

  test('registryAuth() takes a helper that knows nothing for none, and one that fails for a failure', async () => {
    helper('empty', 'echo "credentials not found in native keychain"; exit 1')
    assert.equal(await decoded('r.example/a', { credsStore: 'empty' }), undefined)
    helper('broken', 'echo oops; exit 3')
    await assert.rejects(decoded('r.example/a', { credsStore: 'broken' }), /ended with 3/)
    await assert.rejects(decoded('r.example/a', { credsStore: 'absent' }), /docker-credential-absent.*ENOENT/)
    await assert.rejects(decoded('r.example/a', { credsStore: '../x' }), /no name of a program/)
  })

  test('registryAuth() does not quote what it cannot read', async () => {
    await assert.rejects(
      decoded('r.example/a', '{"auths": SECRET'),
      (error: Error) => !error.message.includes('SECRET'),
    )
  })
})
