import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pluginCall } from '../../src/cli/docker-plugin.ts'
import { chooseHost } from '../../src/client/host.ts'
import { tscompose } from './fake-client.ts'

const config = mkdtempSync(join(tmpdir(), 'tscompose-plugin-'))
after(() => rmSync(config, { recursive: true }))
writeFileSync(join(config, 'config.json'), JSON.stringify({ currentContext: 'far' }))
for (const [name, host] of [
  ['far', 'ssh://far'],
  ['near', 'unix:///near.sock'],
] as const) {
  const folder = join(config, 'contexts/meta', createHash('sha256').update(name).digest('hex'))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'meta.json'), JSON.stringify({ Name: name, Endpoints: { docker: { Host: host } } }))
}

const docker = { DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: '/usr/bin/docker', HOME: '/nonexistent' }
const call = (argv: readonly string[], env: Readonly<Record<string, string>> = {}, engine = '/nonexistent') => {
  const made = pluginCall(argv, { ...docker, ...env }, engine)
  if (!made) return undefined
  // as the command will choose
  const { host, source } = chooseHost(undefined, made.env)
  return [made.argv.join(' '), source === 'default' ? undefined : host]
}

describe('pluginCall()', () => {
  test('is for docker alone, and for compose', () => {
    assert.equal(pluginCall(['compose', 'up'], {}), undefined)
    assert.equal(call(['up']), undefined)
  })

  for (const [what, argv, env, expected] of [
    ['hands on what follows compose', ['compose', '-f', 'a.yaml', 'up', '-d'], {}, ['-f a.yaml up -d', undefined]],
    ['takes -H', ['-H', 'tcp://a:1', 'compose', 'ps'], { DOCKER_HOST: 'unix:///b' }, ['ps', 'tcp://a:1']],
    ['leaves DOCKER_HOST', ['compose', 'ps'], { DOCKER_HOST: 'unix:///b', DOCKER_CONFIG: config }, ['ps', 'unix:///b']],
    ['takes the current context', ['compose', 'ps'], { DOCKER_CONFIG: config }, ['ps', 'ssh://far']],
    ['takes --config', ['--config', config, 'compose', 'ps'], {}, ['ps', 'ssh://far']],
    [
      'takes DOCKER_CONTEXT',
      ['compose', 'ps'],
      { DOCKER_CONFIG: config, DOCKER_CONTEXT: 'near' },
      ['ps', 'unix:///near.sock'],
    ],
    [
      'takes --context',
      ['-c', 'near', 'compose', 'ps'],
      { DOCKER_CONFIG: config, DOCKER_HOST: 'unix:///b' },
      ['ps', 'unix:///near.sock'],
    ],
    [
      'knows the default context',
      ['compose', 'ps'],
      { DOCKER_CONFIG: config, DOCKER_CONTEXT: 'default' },
      ['ps', undefined],
    ],
    ['takes --debug', ['-D', '-l', 'info', 'compose', 'ps'], {}, ['--verbose ps', undefined]],
  ] as const)
    test(what, () => assert.deepEqual(call(argv, env), expected))

  test("goes to docker's engine where there is one", () => {
    assert.deepEqual(call(['compose', 'ps'], {}, config), ['ps', `unix://${config}`])
  })

  test('settles the context, so that nobody reads the variable again', () => {
    const made = pluginCall(
      ['-c', 'default', 'compose', 'ps'],
      { ...docker, DOCKER_CONFIG: config, DOCKER_CONTEXT: 'near' },
      '/nonexistent',
    )
    assert.deepEqual([made?.env['DOCKER_HOST'], made?.env['DOCKER_CONTEXT']], [undefined, undefined])
  })

  test('refuses a context that is not there, and both ways to name an engine', () => {
    assert.throws(() => call(['-c', 'none', 'compose', 'ps'], { DOCKER_CONFIG: config }), { kind: 'not-found' })
    assert.throws(() => call(['-c', 'near', '-H', 'unix:///x', 'compose', 'ps']), { kind: 'invalid' })
  })
})

test('docker is told what the plugin is', async () => {
  const { code, stdout } = await tscompose(['docker-cli-plugin-metadata'])
  assert.equal(code, 0)
  const { SchemaVersion, Vendor, ShortDescription, Version } = JSON.parse(stdout)
  assert.deepEqual([SchemaVersion, Vendor, ShortDescription], ['0.1.0', 'tscompose', 'Docker Compose, by tscompose'])
  assert.match(Version, /^v2\.\d+\.\d+-tscompose\./)
})
