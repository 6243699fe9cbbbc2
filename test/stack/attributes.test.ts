import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attributePaths, usesOf } from '../../src/stack/attributes.ts'
import { load } from './stacks.ts'

const stack = `services:
  web:
    image: web
    ports:
      - {target: 80, name: first}
      - "8081:81"
    cap_add: [CHOWN, KILL]
    labels: {}
    dns: 1.1.1.1
    deploy:
      mode: global
      placement:
        preferences: [{spread: a}]
    credential_spec: {}
    command: ~
  db:
    image: db
    privileged: true
    deploy: {mode: replicated}
networks:
  back: {internal: true}
`

async function uses(...attributes: readonly string[]) {
  const { tree } = await load(stack, { allResources: true })
  return usesOf(tree, attributes).map(({ attribute, path, place, value }) => ({
    attribute,
    path: path.join('.'),
    at: place && `${place.line}:${place.column}`,
    value,
  }))
}

test('a use of an attribute is told with the place of its key and its value', async () => {
  assert.deepEqual(await uses('services.*.deploy.mode', 'networks.*.internal', 'services.*.privileged'), [
    { attribute: 'services.*.deploy.mode', path: 'services.web.deploy.mode', at: '11:7', value: 'global' },
    { attribute: 'services.*.deploy.mode', path: 'services.db.deploy.mode', at: '19:14', value: 'replicated' },
    { attribute: 'services.*.privileged', path: 'services.db.privileged', at: '18:5', value: true },
    { attribute: 'networks.*.internal', path: 'networks.back.internal', at: '21:10', value: true },
  ])
})

test('a member of a list is named by its index, a list of scalars has them all for its value', async () => {
  assert.deepEqual(await uses('services.*.ports.*.name', 'services.*.cap_add', 'services.*.dns'), [
    { attribute: 'services.*.ports.*.name', path: 'services.web.ports.0.name', at: '5:22', value: 'first' },
    { attribute: 'services.*.cap_add', path: 'services.web.cap_add', at: '7:5', value: ['CHOWN', 'KILL'] },
    { attribute: 'services.*.dns', path: 'services.web.dns', at: '9:5', value: ['1.1.1.1'] },
  ])
})

test('a mapping, and a list of mappings, has no value', async () => {
  const found = await uses('services.*.deploy', 'services.*.ports', 'services.*.deploy.placement.preferences')
  assert.deepEqual(
    found.map(({ path }) => path),
    ['services.web.deploy', 'services.web.deploy.placement.preferences', 'services.web.ports', 'services.db.deploy'],
  )
  assert.ok(found.every(({ value }) => value === undefined))
})

test('what is empty, what a default sets, and what nobody asks for is no use', async () => {
  assert.deepEqual(await uses('services.*.command', 'services.*.networks', 'networks.*.name', 'secrets.*'), [])
  assert.deepEqual(await uses(), [])
  const { tree } = await load(stack)
  assert.deepEqual(usesOf(tree, ['services.*.init']), [])
})

test('a use tells the scalars beside it', async () => {
  const { tree } = await load(stack)
  const [use] = usesOf(tree, ['services.*.cap_add'])
  assert.equal(use!.valueAt(['services', 'web', 'deploy', 'mode']), 'global')
  assert.equal(use!.valueAt(['services', 'db', 'privileged']), true)
  for (const path of ['services web deploy', 'services web none', 'services web image none', 'services web command'])
    assert.equal(use!.valueAt(path.split(' ')), undefined)
})

test('the paths of all attributes are told once each, names and indices as *', () => {
  const paths = attributePaths()
  assert.equal(new Set(paths).size, paths.length)
  for (const path of [
    'services',
    'services.*.image',
    'services.*.ports.*.target',
    'services.*.build.context',
    'services.*.networks.*.aliases',
    'services.*.deploy.resources.reservations.devices.*.capabilities',
    // only the short form has it
    'networks.*.external.name',
    'include.*.path',
  ])
    assert.ok(paths.includes(path), path)
  assert.ok(!paths.includes(''))
  assert.ok(paths.every(path => !path.startsWith('.') && !path.endsWith('.') && !path.endsWith('*')))
})
