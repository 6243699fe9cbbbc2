import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { askSecret } from '../../src/cli/ask.ts'
import { registryAuth } from '../../src/client/registry-auth.ts'
import { Failure } from '../../src/lib/failure.ts'
import { fakeClient, tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-login-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'config.json')
const env = { DOCKER_CONFIG: folder, PATH: `${folder}:/usr/bin:/bin` }
beforeEach(() => rmSync(file, { force: true }))

const accepted = () => fakeClient({ auth: () => ({ Status: 'Login Succeeded', IdentityToken: '' }) })
const login = (client = accepted(), ...args: readonly string[]) =>
  tscompose(['login', '-u', 'alice', '--password-stdin', ...args], { client, env, stdin: 'correct horse\n' })

async function headerFor(reference: string) {
  const header = await registryAuth(reference, env)
  return header && JSON.parse(Buffer.from(header, 'base64url').toString())
}

describe('login', () => {
  test('keeps what the registry has taken, in a file of mode 0600, and leaves the rest of it alone', async () => {
    writeFileSync(file, JSON.stringify({ auths: { other: { auth: 'eDp5' } }, psFormat: 'x' }), { mode: 0o644 })
    const client = accepted()
    const said = await login(client, 'r.example:5000')
    assert.equal(said.code, 0, said.stderr)
    assert.match(said.stdout, /^Login Succeeded/)
    assert.doesNotMatch(said.stdout + said.stderr, /correct horse/)
    const body = { username: 'alice', password: 'correct horse', serveraddress: 'r.example:5000' }
    assert.deepEqual(client.asked[0]!.input['body'], body)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const kept = JSON.parse(readFileSync(file, 'utf8'))
    assert.deepEqual([kept.auths.other, kept.psFormat], [{ auth: 'eDp5' }, 'x'])
    const found = { username: 'alice', password: 'correct horse', serveraddress: 'r.example:5000' }
    assert.deepEqual(await headerFor('r.example:5000/a'), found)
  })

  test('without a server is for the hub; a token of the registry is kept instead of the password', async () => {
    await login(fakeClient({ auth: () => ({ Status: 'Login Succeeded', IdentityToken: 'later' }) }))
    assert.doesNotMatch(readFileSync(file, 'utf8'), /Y29ycmVjdCBob3JzZQ|correct/)
    const serveraddress = 'https://index.docker.io/v1/'
    assert.deepEqual(await headerFor('busybox'), { identitytoken: 'later', serveraddress })
  })

  test('keeps nothing that was refused', async () => {
    const client = fakeClient({
      auth: () => {
        throw new Failure('internal', 'login attempt to https://r.example/v2/ failed with status: 401 Unauthorized')
      },
    })
    const said = await login(client, 'r.example')
    assert.equal(said.code, 1)
    assert.match(said.stderr, /401 Unauthorized/)
    assert.throws(() => readFileSync(file), { code: 'ENOENT' })
  })

  test('by a helper tells it the secret on its standard input; the file names the registry alone', async () => {
    const helper = join(folder, 'docker-credential-note')
    writeFileSync(helper, `#!/bin/sh\necho "$@" >>"${folder}/words"\ncat >>"${folder}/input"\n`)
    chmodSync(helper, 0o755)
    writeFileSync(file, JSON.stringify({ credHelpers: { 'r.example': 'note' } }))
    assert.equal((await login(accepted(), 'https://r.example/v1/')).code, 0)
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')).auths, { 'r.example': {} })
    assert.equal(readFileSync(join(folder, 'words'), 'utf8'), 'store\n')
    assert.deepEqual(JSON.parse(readFileSync(join(folder, 'input'), 'utf8')), {
      ServerURL: 'r.example',
      Username: 'alice',
      Secret: 'correct horse',
    })
    rmSync(join(folder, 'input'))
    const said = await tscompose(['logout', 'r.example'], { env })
    assert.equal(said.stdout, 'Removed the login for r.example\n')
    assert.equal(readFileSync(join(folder, 'input'), 'utf8'), 'r.example')
  })

  test('takes no password as an argument, and asks nobody who is not at a terminal', async () => {
    assert.match((await tscompose(['login', '-u', 'a', '--password', 'x'], { env })).stderr, /--password/)
    assert.match((await tscompose(['login', '-u', 'a'], { env })).stderr, /standard input is no terminal/)
    assert.match((await tscompose(['login', '--password-stdin'], { env })).stderr, /without --username/)
  })
})

test('logout forgets a login, and says when there was none', async () => {
  await login(accepted(), 'r.example')
  assert.equal((await tscompose(['logout', 'r.example'], { env })).stdout, 'Removed the login for r.example\n')
  assert.equal(await headerFor('r.example/a'), undefined)
  assert.equal((await tscompose(['logout', 'r.example'], { env })).stdout, 'Not logged in to r.example\n')
})

test('askSecret() reads a line with echo off, with backspace and ^U, and puts the terminal back', async () => {
  for (const [typed, expected] of [
    ['secret\r', 'secret'],
    ['wrong\x15rigth\x7f\x7fht\n', 'right'],
    ['ä\x7fb\r', 'b'],
  ] as const) {
    const modes: boolean[] = []
    let shown = ''
    const stdin = {
      isTTY: true,
      setRawMode: (raw: boolean) => modes.push(raw),
      async *[Symbol.asyncIterator]() {
        yield Buffer.from(typed)
      },
    }
    const screen = { status: { write: (text: string) => (shown += text) } }
    const call = { stdin, screen, signal: new AbortController().signal } as unknown as Parameters<typeof askSecret>[0]
    assert.equal(await askSecret(call, 'Password: '), expected)
    assert.deepEqual([modes, shown], [[true, false], 'Password: \n'])
  }
})
