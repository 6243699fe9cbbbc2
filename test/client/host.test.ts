import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { chooseHost, parseHost } from '../../src/client/host.ts'
import { requestPath } from '../../src/client/query.ts'
import { readTls } from '../../src/client/tls.ts'
import { isFailure } from '../../src/lib/failure.ts'

test('chooseHost() prefers the flag to DOCKER_HOST to our own socket', () => {
  const env = { DOCKER_HOST: 'unix:///a.sock' }
  assert.deepEqual(chooseHost('unix:///b.sock', env), { host: 'unix:///b.sock', source: '--host' })
  assert.deepEqual(chooseHost(undefined, env), { host: 'unix:///a.sock', source: 'DOCKER_HOST' })
  assert.deepEqual(chooseHost('', { DOCKER_HOST: '' }), {
    host: 'unix:///run/tscompose/engine.sock',
    source: 'default',
  })
})

test('chooseHost() takes the host of DOCKER_CONTEXT, and of no context that is only the current one', t => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-contexts-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ currentContext: 'far' }))
  const meta = join(folder, 'contexts/meta', createHash('sha256').update('far').digest('hex'))
  mkdirSync(meta, { recursive: true })
  writeFileSync(join(meta, 'meta.json'), JSON.stringify({ Endpoints: { docker: { Host: 'ssh://far' } } }))
  const env = { DOCKER_CONFIG: folder, DOCKER_CONTEXT: 'far' }
  assert.deepEqual(chooseHost(undefined, env), { host: 'ssh://far', source: 'DOCKER_CONTEXT' })
  assert.equal(chooseHost(undefined, { ...env, DOCKER_HOST: 'unix:///a' }).source, 'DOCKER_HOST')
  assert.equal(chooseHost('unix:///b', { ...env, DOCKER_CONTEXT: 'gone' }).source, '--host')
  for (const context of ['default', '', undefined])
    assert.equal(chooseHost(undefined, { ...env, DOCKER_CONTEXT: context }).source, 'default')
  assert.throws(() => chooseHost(undefined, { ...env, DOCKER_CONTEXT: 'gone' }), /"gone": there is none of that name/)
})

test('a context brings its own TLS, and that of the environment is not for it', t => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-contexts-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const make = (name: string, more: object, files: readonly string[]): string => {
    const hash = createHash('sha256').update(name).digest('hex')
    const certificates = join(folder, 'contexts/tls', hash, 'docker')
    mkdirSync(join(folder, 'contexts/meta', hash), { recursive: true })
    writeFileSync(
      join(folder, 'contexts/meta', hash, 'meta.json'),
      JSON.stringify({ Endpoints: { docker: { Host: 'tcp://far:2376', ...more } } }),
    )
    if (files.length > 0) mkdirSync(certificates, { recursive: true })
    for (const file of files) writeFileSync(join(certificates, file), file)
    return certificates
  }
  const env = { DOCKER_CONFIG: folder, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/elsewhere' }
  const of = (name: string) => chooseHost(undefined, { ...env, DOCKER_CONTEXT: name }).tls
  const certificates = make('whole', { SkipTLSVerify: false }, ['ca.pem', 'cert.pem', 'key.pem'])
  assert.deepEqual(of('whole'), { folder: certificates, verify: true, authority: 'any' })
  assert.equal(readTls(of('whole')!).ca?.toString(), 'ca.pem')
  make('client', {}, ['cert.pem', 'key.pem'])
  const { ca, cert, rejectUnauthorized } = readTls(of('client')!)
  assert.deepEqual([ca, cert?.toString(), rejectUnauthorized], [undefined, 'cert.pem', true])
  make('trusting', { SkipTLSVerify: true }, [])
  assert.equal(readTls(of('trusting')!).rejectUnauthorized, false)
  make('plain', {}, [])
  assert.equal(of('plain'), undefined)
})

test('TCP is TLS where the environment asks for it, with the certificates it names', () => {
  const env = { DOCKER_HOST: 'tcp://h', DOCKER_TLS_VERIFY: '1', HOME: '/home/me' }
  const { host, tls } = chooseHost(undefined, env)
  assert.deepEqual(tls, { folder: '/home/me/.docker', verify: true })
  assert.deepEqual(parseHost(host, tls), { kind: 'tcp', hostname: 'h', port: 2376, tls })
  assert.deepEqual(chooseHost('tcp://h', { DOCKER_TLS: '1', DOCKER_CERT_PATH: '/c' }).tls, {
    folder: '/c',
    verify: false,
  })
  assert.equal(chooseHost('tcp://h', { DOCKER_TLS_VERIFY: '' }).tls, undefined)
  // what is plain in so many words stays so, and what is TLS needs certificates
  assert.deepEqual(parseHost('http://h:1', tls), { kind: 'tcp', hostname: 'h', port: 1 })
  assert.deepEqual(parseHost('https://h:1', tls), { kind: 'tcp', hostname: 'h', port: 1, tls })
  assert.throws(() => parseHost('https://h:1'), { kind: 'invalid', message: /certificate/ })
})

test('parseHost() reads machines behind ssh, and takes no option for a name', () => {
  assert.deepEqual(parseHost('ssh://box'), { kind: 'ssh', hostname: 'box' })
  assert.deepEqual(parseHost('ssh://me@box:2222'), { kind: 'ssh', hostname: 'box', user: 'me', port: 2222 })
  assert.deepEqual(parseHost('ssh://me@[::1]'), { kind: 'ssh', hostname: '::1', user: 'me' })
  for (const host of [
    'ssh://',
    'ssh://-oProxyCommand=x',
    'ssh://-l@box',
    'ssh://me:pw@box',
    'ssh://box/path',
    'ssh://box:0',
  ])
    assert.throws(() => parseHost(host), { kind: 'invalid' }, host)
})

test('parseHost() reads sockets and addresses', () => {
  assert.deepEqual(parseHost('unix:///run/x.sock'), { kind: 'unix', path: '/run/x.sock' })
  assert.deepEqual(parseHost('tcp://localhost:2375'), { kind: 'tcp', hostname: 'localhost', port: 2375 })
  assert.deepEqual(parseHost('tcp://host'), { kind: 'tcp', hostname: 'host', port: 2375 })
  assert.deepEqual(parseHost('http://[::1]:80'), { kind: 'tcp', hostname: '::1', port: 80 })
})

test('parseHost() names the host it refuses', () => {
  const hosts = [
    '',
    'localhost',
    'unix://relative',
    'tcp://',
    'tcp://a b:1',
    'tcp://h:0',
    'tcp://h:99999',
    'tcp://u@h:1',
    `unix:///${'x'.repeat(120)}`,
  ]
  for (const host of hosts)
    assert.throws(
      () => parseHost(host),
      error => isFailure(error, 'invalid') && error.message.includes(`"${host}"`),
      host,
    )
  for (const host of ['npipe:////./pipe/docker', 'fd://'])
    assert.throws(
      () => parseHost(host),
      error => isFailure(error, 'unsupported'),
      host,
    )
})

test('requestPath() escapes what it is given and keeps parameters in their places', () => {
  assert.equal(
    requestPath(endpoints.imageInspect, { name: '127.0.0.1:5000/a/b:1' }, {}),
    '/images/127.0.0.1:5000/a/b:1/json',
  )
  assert.equal(requestPath(endpoints.execResize, { id: 'a/b' }, { h: 1 }), '/exec/a%2Fb/resize?h=1')
  assert.equal(
    requestPath(endpoints.containerLogs, { id: 'x' }, { since: 1136073600_000000001n, follow: false, tail: 'all' }),
    '/containers/x/logs?follow=0&tail=all&since=1136073600.000000001',
  )
  assert.equal(requestPath(endpoints.imagesGet, {}, { names: ['a', 'b:1'] }), '/images/get?names=a&names=b%3A1')
  assert.equal(requestPath(endpoints.containerList, {}, { filters: {} }), '/containers/json')
})

test('requestPath() refuses names that would lead to another endpoint', () => {
  for (const id of ['', '.', '..'])
    assert.throws(() => requestPath(endpoints.containerInspect, { id }, {}), /Cannot call/)
  for (const name of ['a/../b', '/a', 'a//b'])
    assert.throws(() => requestPath(endpoints.imageInspect, { name }, {}), /Cannot call/)
})
