import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { linkEnvironment, linkHost, parseLink, splitLinkName } from '../../../src/engine/containers/config/links.ts'
import { EngineBox } from './engine-box.ts'

const db = {
  id: '0123456789abcdef',
  name: 'shop-db',
  alias: 'my-db',
  address: '172.17.0.2',
  exposed: ['443/tcp', '53/udp'],
  env: ['PATH=/bin', 'MODE=a=b'],
}

test('parseLink() takes a name, with another name for it or without', () => {
  assert.deepEqual(parseLink('db:store'), { ref: 'db', alias: 'store' })
  assert.deepEqual(parseLink('db'), { ref: 'db', alias: 'db' })
  assert.deepEqual(parseLink('/db:/web/store'), { ref: 'db', alias: 'store' })
  for (const text of ['', ':x', 'a:', 'a:b:c']) assert.throws(() => parseLink(text), /bad format for links/)
})

test('linkEnvironment() names ports in order, the link and the other’s variables but PATH and HOME', () => {
  assert.deepEqual(linkEnvironment('web', [db]), [
    'MY_DB_PORT=udp://172.17.0.2:53',
    'MY_DB_PORT_53_UDP=udp://172.17.0.2:53',
    'MY_DB_PORT_53_UDP_ADDR=172.17.0.2',
    'MY_DB_PORT_53_UDP_PORT=53',
    'MY_DB_PORT_53_UDP_PROTO=udp',
    'MY_DB_PORT_443_TCP=tcp://172.17.0.2:443',
    'MY_DB_PORT_443_TCP_ADDR=172.17.0.2',
    'MY_DB_PORT_443_TCP_PORT=443',
    'MY_DB_PORT_443_TCP_PROTO=tcp',
    'MY_DB_NAME=/web/my-db',
    'MY_DB_ENV_MODE=a=b',
  ])
})

test('linkHost() gives alias, short id and name on one line', () => {
  assert.deepEqual(linkHost(db), { address: '172.17.0.2', names: ['my-db', '0123456789ab', 'shop-db'] })
  assert.deepEqual(linkHost({ ...db, alias: 'shop-db' }).names, ['shop-db', '0123456789ab'])
})

test('splitLinkName() tells "web/store" from other names', () => {
  assert.deepEqual(splitLinkName('/web/store'), { from: 'web', alias: 'store' })
  for (const ref of ['web', '/web', 'a/b/c', '//store', 'web/']) assert.equal(splitLinkName(ref), undefined)
})

/** A db that runs, and a web that is linked to it as store. */
async function linked() {
  const box = await EngineBox.open()
  await box.run('db', { HostConfig: { NetworkMode: 'bridge' } })
  const web = await box.run('web', { HostConfig: { NetworkMode: 'bridge', Links: ['db:store'] } })
  const hosts = async () => readFile(join(box.folder, 'data', 'containers', web, 'hosts'), 'utf8')
  const links = async () => (await box.containers.inspect('web')).HostConfig.Links
  const names = async () => (await box.containers.list({ all: true })).map(({ Names }) => Names)
  return { box, hosts, links, names }
}

test('a link is a name of the container it leads to, and goes by that name while both stay', async () => {
  const { box, hosts, links, names } = await linked()
  await using _ = box
  const { Id } = await box.containers.inspect('web/store')
  assert.equal(Id, (await box.containers.inspect('db')).Id)
  assert.deepEqual(await names(), [['/web'], ['/db', '/web/store']])
  assert.match(await hosts(), new RegExp(`\\tstore ${Id.slice(0, 12)} db\\n`))
  await box.containers.removeLink('web/store')
  assert.equal(await links(), null)
  assert.doesNotMatch(await hosts(), /store/)
  assert.deepEqual(await names(), [['/web'], ['/db']])
  await box.reboot()
  assert.equal((await box.containers.inspect('web')).HostConfig.Links, null)
  const gone = { kind: 'not-found', message: 'No such container: web/store' }
  await assert.rejects(box.containers.removeLink('web/store'), gone)
  const own = { kind: 'internal', message: 'Conflict, cannot remove the default link name of the container' }
  await assert.rejects(box.containers.removeLink('web'), own)
})

test('a link follows its container to another name and another address', async () => {
  const { box, hosts, links } = await linked()
  await using _ = box
  const address = async () => /(\S+)\tstore/.exec(await hosts())?.[1]
  const before = await address()
  await box.containers.stop('db')
  await box.run('other', { HostConfig: { NetworkMode: 'bridge' } })
  await box.run('another', { HostConfig: { NetworkMode: 'bridge' } })
  await box.containers.rename('db', 'base')
  assert.deepEqual(await links(), ['/base:/web/store'])
  await box.containers.start('base')
  assert.equal(await address(), (await box.containers.inspect('base')).NetworkSettings.IPAddress)
  assert.notEqual(await address(), before)
})

test('a link to a container that lives in another\u2019s network leads to that one; on no default bridge it leads nowhere', async () => {
  await using box = await EngineBox.open()
  const holder = await box.run('holder', { HostConfig: { NetworkMode: 'bridge' } })
  await box.run('db', { HostConfig: { NetworkMode: 'container:holder' } })
  const web = await box.run('web', { HostConfig: { NetworkMode: 'bridge', Links: ['db:store'] } })
  const hosts = await readFile(join(box.folder, 'data', 'containers', web, 'hosts'), 'utf8')
  assert.match(hosts, new RegExp(`\\tstore ${holder.slice(0, 12)} holder$`, 'm'))
  const alone = await box.run('alone')
  await box.create('late', { HostConfig: { NetworkMode: 'bridge', Links: ['alone'] } })
  const message = `container ${alone} not attached to default bridge network`
  await assert.rejects(box.containers.start('late'), { message })
})
