import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { z } from 'zod'
import { bodySchema } from '../../src/api/body-schema.ts'
import type { Body, Endpoint } from '../../src/api/endpoint.ts'
import { endpoints } from '../../src/api/endpoints.ts'
import { parseJsonLines } from '../../src/api/json-lines.ts'
import { errorReply, kindOf, NotReady, replyFailure, statusOf } from '../../src/api/status.ts'
import { checkVersion, compareVersions, negotiateVersion } from '../../src/api/version.ts'
import { Failure, failureKinds } from '../../src/lib/failure.ts'
import { shared } from '../support/needs.ts'

const containerCreate = schemaOf(endpoints.containerCreate)

function schemaOf<E extends Endpoint>(endpoint: E) {
  return bodySchema(endpoint) as z.ZodType<Body<E>>
}

/** A recorded document, where the recordings are. */
async function sample(name: string) {
  const path = shared(`engine-api/samples/${name}.json`)
  return path === undefined ? undefined : JSON.parse(await readFile(path, 'utf8'))
}

test('endpoints knows each row by its key, and no two share method and path', () => {
  const seen = new Set<string>()
  for (const [name, endpoint] of Object.entries(endpoints)) {
    assert.equal(endpoint.name, name)
    seen.add(`${endpoint.method} ${endpoint.path}`)
  }
  assert.equal(seen.size, Object.keys(endpoints).length)
})

test('endpoints with a JSON body have a schema each', () => {
  for (const endpoint of Object.values<Endpoint>(endpoints))
    assert.equal(bodySchema(endpoint) !== undefined, endpoint.body.kind === 'json', endpoint.name)
})

test('the endpoint table loads without zod, which would cost the CLI 80 ms', () => {
  const script = `
    await import(${JSON.stringify(new URL('../../src/client/client.ts', import.meta.url).href)})
    await import(${JSON.stringify(new URL('../../src/api/endpoints.ts', import.meta.url).href)})
    const { createRequire } = await import('node:module')
    const names = process.moduleLoadList ?? []
    console.log(JSON.stringify(names.filter(n => /undici/.test(n))))`
  const hook = `import { registerHooks } from 'node:module'
    registerHooks({ resolve(s, c, next) { if (s === 'zod') throw new Error('zod was loaded'); return next(s, c) } })`
  const run = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  )
  assert.equal(run.status, 0, run.stderr)
  assert.equal(run.stdout.trim(), '[]', 'node:http was loaded in the way that loads all of fetch')
})

test('containerCreate takes the bodies that docker and Compose send', async t => {
  const bodies = await Promise.all(
    ['cli', 'compose', 'compose-recreate', 'compose-run', 'compose-sidecar'].map(name =>
      sample(`container-create-request-${name}`),
    ),
  )
  if (bodies.includes(undefined)) return t.skip('the recorded samples are not on this machine')
  for (const { body } of bodies) {
    const parsed = containerCreate.parse(body)
    assert.equal(parsed.Image, body.Image)
    assert.equal(parsed.HostConfig?.NetworkMode, body.HostConfig.NetworkMode)
    assert.equal(JSON.stringify(parsed.HostConfig?.Binds ?? null), JSON.stringify(body.HostConfig.Binds ?? null))
  }
})

test('networkCreate, networkConnect and volumeCreate take the bodies that clients send', async t => {
  const [cli, connect, volume] = await Promise.all(
    ['network-create-request-cli', 'network-connect-requests', 'volume-create'].map(sample),
  )
  if (!cli || !connect || !volume) return t.skip('the recorded samples are not on this machine')
  for (const body of Object.values<{ Name: string }>(cli))
    assert.equal(schemaOf(endpoints.networkCreate).parse(body).Name, body.Name)
  assert.deepEqual(schemaOf(endpoints.networkConnect).parse(connect.cli).EndpointConfig?.Aliases, ['al'])
  assert.equal(schemaOf(endpoints.volumeCreate).parse(volume['compose-request']).Name, 'ambig_data')
})

test('containerCreate reads null as not given, but keeps the keys of an exposed port and a plain endpoint', () => {
  const parsed = containerCreate.parse({
    Cmd: null,
    Entrypoint: 'sh',
    Unknown: 1,
    HostConfig: { Memory: null, PortBindings: { '80/tcp': null } },
    NetworkingConfig: { EndpointsConfig: { net: null } },
  })
  assert.equal(parsed.Cmd, undefined)
  assert.deepEqual(parsed.Entrypoint, ['sh'])
  assert.equal('Unknown' in parsed, false)
  assert.deepEqual(parsed.HostConfig?.PortBindings, { '80/tcp': null })
  assert.deepEqual(parsed.NetworkingConfig?.EndpointsConfig, { net: null })
})

test('containerCreate refuses wrong types and NUL characters', () => {
  for (const body of [{ Image: 3 }, { Env: 'A=b' }, { Cmd: ['a\0b'] }, { HostConfig: { Memory: 1.5 } }, [], 'x', null])
    assert.equal(containerCreate.safeParse(body).success, false, JSON.stringify(body))
})

test('negotiateVersion() takes the newest that both know', () => {
  assert.equal(negotiateVersion('1.44'), '1.44')
  assert.equal(negotiateVersion('1.60'), '1.51')
  assert.equal(negotiateVersion(undefined), '1.24')
  assert.ok(compareVersions('1.9', '1.24') < 0)
})

test('checkVersion() refuses a version outside the range in the words of the real engine', () => {
  assert.throws(() => checkVersion('1.99'), {
    message: 'client version 1.99 is too new. Maximum supported API version is 1.51',
  })
  assert.throws(() => checkVersion('1.23'), {
    message:
      'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  })
})

test('status: every failure kind goes to a status and comes back', () => {
  for (const kind of failureKinds) {
    const sent = new Failure(kind, 'x')
    assert.equal(replyFailure(statusOf(sent), JSON.stringify(errorReply(sent)), 'do it').kind, kind)
  }
  // what a registry did not do is no reason to ask this engine again
  assert.equal(statusOf(new Failure('unavailable', 'x')), 500)
  assert.equal(statusOf(new NotReady('x')), 503)
  assert.equal(kindOf(503), 'unavailable')
  assert.equal(statusOf(new TypeError('a defect')), 500)
  assert.equal(kindOf(418), 'invalid')
  assert.equal(kindOf(401), 'denied')
})

test('replyFailure() gives back message, hint and exit code, and makes do with plain text or nothing', () => {
  const sent = new Failure('invalid', 'exec: no such file', { hint: 'Check the command', exitCode: 127 })
  const got = replyFailure(400, JSON.stringify(errorReply(sent)), 'start it')
  assert.deepEqual(
    [got.kind, got.message, got.hint, got.exitCode],
    ['invalid', 'exec: no such file', 'Check the command', 127],
  )
  assert.equal(replyFailure(404, 'No such container: x\r\n', 'attach').message, 'No such container: x')
  assert.match(replyFailure(500, '', 'start it').message, /Cannot start it: the engine answered 500 without a message/)
})

test('parseJsonLines() reads documents cut anywhere, in the middle of a character too', async () => {
  const bytes = Buffer.from('{"a":"é"}\r\n\r\n{"b":2}\n{"c":3}')
  const source = async function* () {
    for (const byte of bytes) yield Uint8Array.of(byte)
  }
  assert.deepEqual(await Array.fromAsync(parseJsonLines(source())), [{ a: 'é' }, { b: 2 }, { c: 3 }])
})
