/** Containers that live in the network of another, and projects that are on one network. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'
import { ownEngine } from '../support/other-engine.ts'

describe('a shared network', { skip: lacking(root(), program('busybox'), program('nft'), program('docker')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  const docker = (...args: readonly string[]) => engine.runDocker(...args)

  test('goes with the container it belongs to: nothing stays on the network, and its address is free', async () => {
    await docker('network', 'create', 'front')
    const owner = ['run', '-d', '--name', 'owner', '--network', 'front', 'busybox', 'sleep', '60']
    const address = ['inspect', '-f', '{{.NetworkSettings.Networks.front.IPAddress}}', 'owner']
    await docker(...owner)
    const first = await docker(...address)
    await docker('run', '-d', '--name', 'guest', '--network', 'container:owner', 'busybox', 'sleep', '60')
    await docker('rm', '-f', 'owner')
    assert.equal(await docker('exec', 'guest', 'sh', '-c', 'ip -o link | grep -c eth || true'), '0')
    assert.equal(await docker('network', 'inspect', '-f', '{{len .Containers}}', 'front'), '0')
    await docker(...owner)
    assert.equal(await docker(...address), first)
    await docker('rm', '-f', 'owner', 'guest')
    await docker('network', 'rm', 'front')
  })

  const names = ownEngine('a Docker Engine answers with what other projects have of that name too')
  test('that two projects are on gives each its own names, and nobody else’s while those are away', {
    skip: lacking(names),
  }, async () => {
    await docker('network', 'create', 'street')
    const place = async (project: string, service: string) => {
      const label = `com.docker.compose.project=${project}`
      const name = `${project}-${service}`
      const network = ['--network', 'street', '--network-alias', service]
      await docker('run', '-d', '--name', name, '--label', label, ...network, 'busybox', 'sleep', '60')
      return await docker('inspect', '-f', '{{.NetworkSettings.Networks.street.IPAddress}}', name)
    }
    const found = async (name: string): Promise<readonly string[]> => {
      const said = await engine.docker(['exec', 'shop-web', 'nslookup', name, '127.0.0.11'])
      return [...said.stdout.matchAll(/^Address: ([\d.]+)$/gm)].map(match => match[1]!)
    }
    const own = await place('shop', 'db')
    const other = await place('blog', 'db')
    await place('shop', 'web')
    for (let round = 0; round < 3; round++) assert.deepEqual(await found('db'), [own])
    assert.deepEqual(await found('db.blog'), [other])
    await docker('kill', 'shop-db')
    assert.deepEqual(await found('db'), [])
    await docker('rm', 'shop-db')
    assert.deepEqual(await found('db'), [other])
    await docker('rm', '-f', 'shop-web', 'blog-db')
    await docker('network', 'rm', 'street')
  })
})
