import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkEnvironment, linkHosts, parseLink } from '../../../src/engine/containers/config/links.ts'

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

test('linkHosts() gives alias, short id and name', () => {
  assert.deepEqual(linkHosts([db]), ['my-db:172.17.0.2', '0123456789ab:172.17.0.2', 'shop-db:172.17.0.2'])
})
