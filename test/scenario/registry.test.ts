/** Images that `up` pulls from a registry on loopback. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { hasRegistry, registryUser, startRegistry } from '../support/registry.ts'
import { busyboxFiles, sha256, tinyParts } from '../support/tiny-image.ts'

const image = {
  files: busyboxFiles(),
  config: { Cmd: ['sh', '-c', 'echo pulled; exec sleep infinity'], StopSignal: 'SIGKILL' },
}

describe('up from a registry', {
  skip: lacking(root(), program('busybox'), program('nft'), !hasRegistry && 'the program "docker-registry"'),
}, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start([])
  })
  after(() => engine.stop())

  const authOf = ({ username, password }: typeof registryUser) =>
    Buffer.from(`${username}:${password}`).toString('base64')
  const logIn = (registry: string) => {
    const folder = join(engine.folder, 'docker-config')
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ auths: { [registry]: { auth: authOf(registryUser) } } }),
      {
        mode: 0o600,
      },
    )
  }

  test('pulls what is missing, once', async () => {
    await using registry = await startRegistry()
    await registry.pushImage('busybox', 'latest', image)
    const stack = engine.stack(`services:\n  a: {image: "${registry.host}/busybox"}\n`)
    const first = await stack.try('up', '-d')
    assert.equal(first.code, 0, first.stderr)
    assert.match(first.stderr, /pulled/i)
    await eventually('its line', async () => /pulled/.test(await stack.run('logs')))
    assert.match(await stack.run('plan'), /^no changes/m)
    await stack.run('down')
  })

  test('sends the credentials of the docker configuration, and says who refused without them', async () => {
    await using registry = await startRegistry({ auth: true })
    await registry.pushImage('busybox', 'latest', image)
    const stack = engine.stack(`services:\n  a: {image: "${registry.host}/busybox"}\n`)
    const refused = await stack.try('up', '-d')
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, new RegExp(registry.host.replaceAll('.', '\\.')))
    logIn(registry.host)
    await stack.run('up', '-d')
    await stack.run('down')
    assert.doesNotMatch(engine.log, /correct horse/)
  })

  test('the keeper pulls with them what it needs to bring a container of a watched stack back, and keeps them nowhere', async () => {
    await using registry = await startRegistry({ auth: true })
    await registry.pushImage('busybox', 'latest', image)
    logIn(registry.host)
    const name = `${registry.host}/busybox`
    const each = `image: "${name}", stop_signal: SIGKILL`
    const stack = engine.stack(
      `
services:
  db: {${each}}
  web: {${each}, depends_on: {db: {condition: service_started, restart: true}}}
`,
      'private',
    )
    await stack.run('up', '-d', '--watch')
    const client = createClient(engine.host)
    try {
      await client.call(endpoints.imageRemove, { params: { name }, query: { force: true } })
      await client.call(endpoints.containerRemove, { params: { id: 'private-web-1' }, query: { force: true } })
    } finally {
      client.close()
    }
    await eventually('it is back', async () =>
      (await stack.ps()).some(({ Name, State }) => Name === 'private-web-1' && State === 'running'),
    )
    const auth = authOf(registryUser)
    const state = join(engine.folder, 'state')
    const kept = readdirSync(state, { recursive: true, encoding: 'utf8' })
      .map(file => join(state, file))
      .filter(file => statSync(file).isFile())
    assert.ok(kept.some(file => file.endsWith('/private/held.json')))
    for (const file of kept) assert.ok(!readFileSync(file, 'utf8').includes(auth), file)
    assert.ok(!engine.log.includes(auth))
    await stack.run('down')
  })

  test('refuses a blob that was corrupted in the store, by its digest, and keeps nothing of it', async () => {
    await using registry = await startRegistry()
    // other bytes than the images before, so that none of its layers is present
    const files = { ...busyboxFiles(), 'unlike-the-others.txt': 'x' }
    await registry.pushImage('busybox', 'bad', { ...image, files })
    const [layer] = (await tinyParts({ ...image, files })).layers
    const digest = sha256(layer!)
    const bytes = readFileSync(registry.blobPath(digest))
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(registry.blobPath(digest), bytes)
    const stack = engine.stack(`services:\n  a: {image: "${registry.host}/busybox:bad"}\n`)
    const said = await stack.try('up', '-d')
    assert.equal(said.code, 1)
    assert.match(said.stderr, new RegExp(digest))
    assert.equal((await engine.docker(['image', 'inspect', `${registry.host}/busybox:bad`])).code, 1)
    await stack.run('down')
  })
})
