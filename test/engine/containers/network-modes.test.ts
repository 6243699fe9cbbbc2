import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineBox } from './engine-box.ts'

async function boxWithNetwork() {
  const box = await EngineBox.open()
  await box.engine.networks.create({ Name: 'front' })
  return {
    box,
    on: async (name: string) => Object.keys((await box.containers.inspect(name)).NetworkSettings.Networks ?? {}),
    [Symbol.asyncDispose]: () => box[Symbol.asyncDispose](),
  }
}

test('a container is on the networks that its creation names, on the one of its mode where it names none', async () => {
  await using parts = await boxWithNetwork()
  const { box, on } = parts
  await box.engine.networks.create({ Name: 'back' })
  const create = async (name: string, mode: string, names: readonly string[]) => {
    const EndpointsConfig = Object.fromEntries(names.map(each => [each, {}]))
    await box.create(name, { HostConfig: { NetworkMode: mode }, NetworkingConfig: { EndpointsConfig } })
    return [(await on(name)).sort(), (await box.containers.inspect(name)).HostConfig.NetworkMode]
  }
  assert.deepEqual(await create('on-a', '', ['front']), [['front'], 'bridge'])
  assert.deepEqual(await create('on-b', 'default', ['front', 'back']), [['back', 'front'], 'bridge'])
  assert.deepEqual(await create('on-c', 'front', ['back']), [['back'], 'front'])
  assert.deepEqual(await create('on-d', 'front', ['back', 'front']), [['back', 'front'], 'front'])
  assert.deepEqual(await create('on-e', 'default', ['default']), [['bridge'], 'bridge'])
  assert.deepEqual(await create('on-f', 'front', []), [['front'], 'front'])
  await assert.rejects(box.create('on-g', { NetworkingConfig: { EndpointsConfig: { front: null } } }), {
    kind: 'invalid',
    message: 'invalid config for network front: EndpointsConfig is nil',
  })
})

const beside =
  /^Failure: container cannot be connected to multiple networks with one of the networks in private \(none\) mode$/

test('whoever is on the network none joins no other before it is taken off, and nobody else joins none', async () => {
  await using parts = await boxWithNetwork()
  const { box, on } = parts
  await box.create('web')
  await assert.rejects(box.containers.connect('web', 'front', {}), beside)
  await assert.rejects(box.containers.connect('web', 'none', {}), /already exists in network none/)
  await box.containers.disconnect('web', 'none', { force: false })
  assert.deepEqual(await on('web'), [])
  await box.containers.connect('web', 'front', {})
  assert.deepEqual(await on('web'), ['front'])
  await assert.rejects(box.containers.connect('web', 'none', {}), beside)
})

test('the network of the host is had from the beginning or not at all', async () => {
  await using parts = await boxWithNetwork()
  const { box } = parts
  await box.create('web', { HostConfig: { NetworkMode: 'front' } })
  await box.create('own', { HostConfig: { NetworkMode: 'host' } })
  await assert.rejects(box.containers.connect('web', 'host', {}), {
    kind: 'invalid',
    message: /must be created in host/,
  })
  await assert.rejects(box.containers.disconnect('own', 'host', { force: false }), {
    kind: 'invalid',
    message: /^cannot disconnect container from host network/,
  })
})

test('whose network is joined is looked for at the start: it may come later, and is known by id from then on', async () => {
  await using box = await EngineBox.open()
  const mode = async () => (await box.containers.inspect('app')).HostConfig.NetworkMode
  await box.create('app', { HostConfig: { NetworkMode: 'container:later' } })
  await box.create('self', { HostConfig: { NetworkMode: 'container:self' } })
  await assert.rejects(box.containers.start('app'), {
    message: 'joining network namespace of container: No such container: later',
  })
  await assert.rejects(box.containers.start('self'), { message: 'cannot join own network namespace' })
  const later = await box.run('later', { HostConfig: { NetworkMode: 'bridge' } })
  await box.containers.start('app')
  assert.equal(await mode(), `container:${later}`)
  await box.reboot()
  assert.equal(await mode(), `container:${later}`)
})

test('what does not run is connected anew by its new wishes, and is taken by force off a network that is gone', async () => {
  await using parts = await boxWithNetwork()
  const { box, on } = parts
  const id = await box.create('web', { HostConfig: { NetworkMode: 'front' } })
  await box.containers.connect('web', 'front', { Aliases: ['shop'] })
  const { Networks } = (await box.containers.inspect('web')).NetworkSettings
  assert.deepEqual(Networks?.['front']?.Aliases, ['shop'])
  await box.engine.networks.remove('front')
  await assert.rejects(box.containers.disconnect('web', 'front', { force: false }), { kind: 'not-found' })
  await box.containers.disconnect('web', 'front', { force: true })
  assert.deepEqual(await on('web'), [])
  const message = `container ${id} is not connected to the network front`
  await assert.rejects(box.containers.disconnect('web', 'front', { force: true }), { message })
})

test('whoever joins one that has joined another has the hosts file of that other', async () => {
  await using box = await EngineBox.open()
  const first = await box.run('first', { HostConfig: { NetworkMode: 'bridge' } })
  await box.run('second', { HostConfig: { NetworkMode: 'container:first' } })
  await box.run('third', { HostConfig: { NetworkMode: 'container:second' } })
  const { spec } = box.containers.get('third')
  const hosts = spec?.mounts.find(({ target }) => target === '/etc/hosts')
  assert.ok(hosts?.kind === 'bind' && hosts.source.includes(`/${first}/`), JSON.stringify(hosts))
})
