import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configList } from '../../src/stack/config-lists.ts'
import { load } from './stacks.ts'

const shop = `
services:
  web: {image: "web:1", networks: [front, back], volumes: ["data:/d", "cache:/c"], models: [big, able], profiles: ["", b]}
  db: {build: ., networks: [back], profiles: []}
  tool: {image: tool, profiles: [debug, a], networks: [back]}
  probe: {image: probe, profiles: [debug]}
networks: {front: , back: , unused: }
volumes: {data: , cache: , unused: }
models: {big: {model: ai/big}, able: {model: ai/able}}
`

test('networks, volumes and models are listed by name, without what no service uses', async () => {
  const loaded = await load(shop)
  assert.deepEqual(configList(loaded, 'networks'), ['back', 'front'])
  assert.deepEqual(configList(loaded, 'volumes'), ['cache', 'data'])
  assert.deepEqual(configList(loaded, 'models'), ['able', 'big'])
  const bare = await load('services: {web: {image: web, network_mode: none}}\n')
  for (const name of ['networks', 'volumes', 'models', 'profiles'] as const)
    assert.deepEqual(configList(bare, name), [])
})

test('profiles are listed once each, also those of services that are left out', async () => {
  assert.deepEqual(configList(await load(shop), 'profiles'), ['', 'a', 'b', 'debug'])
})

test('images are listed by their names, what is built by the name it gets', async () => {
  assert.deepEqual([...configList(await load(shop), 'images')].sort(), ['shop-db', 'web:1'])
  const former = await load(shop, { profiles: ['debug'], env: { COMPOSE_COMPATIBILITY: '1' } })
  assert.deepEqual([...configList(former, 'images')].sort(), ['probe', 'shop_db', 'tool'])
})

test('the environment is listed with what .env adds, as the stack sees it', async () => {
  const loaded = await load('services: {web: {image: web}}\n', { env: { Z: 'z', A: 'of b=c' } })
  const lines = configList(loaded, 'environment')
  assert.deepEqual(
    lines.filter(line => /^[AZ]=/.test(line)),
    ['A=of b=c', 'Z=z'],
  )
  assert.deepEqual([...lines].sort(), lines)
})
