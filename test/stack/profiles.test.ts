import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { load } from './stacks.ts'

const shop = `
services:
  web: {image: web, depends_on: {db: {condition: service_started}, cache: {condition: service_started, required: false}}}
  db: {image: db, networks: [back], volumes: ["data:/d", "/anonymous", "./bind:/b"], secrets: [key], configs: [conf]}
  cache: {image: cache, profiles: [fast], networks: [fast]}
  tool: {image: tool, profiles: [debug, fast], depends_on: [probe]}
  probe: {image: probe, profiles: [debug], build: {context: ., secrets: [built]}}
networks: {back: , fast: , unused: }
volumes: {data: , unused: }
secrets: {key: {file: a}, built: {file: b}, unused: {file: c}}
configs: {conf: {content: a}, unused: {content: b}}
`

type Options = Parameters<typeof load>[1]

async function loaded(options: Options) {
  const { project } = await load(shop, options)
  const { services, disabledServices, networks, volumes, secrets, configs, profiles } = project
  const names = (record: object) => Object.keys(record).sort().join(' ')
  return {
    services: names(services),
    off: names(disabledServices),
    networks: names(networks),
    volumes: names(volumes),
    secrets: names(secrets),
    configs: names(configs),
    profiles: profiles.join(' '),
  }
}

describe('services are there by profiles', () => {
  const cases: readonly (readonly [what: string, options: Options, services: string, profiles: string])[] = [
    ['none', {}, 'db web', ''],
    ['--profile', { profiles: ['x', 'debug'] }, 'db probe tool web', 'debug x'],
    ['COMPOSE_PROFILES, with blanks', { env: { COMPOSE_PROFILES: 'x , debug' } }, 'db probe tool web', 'debug x'],
    ['--profile before COMPOSE_PROFILES', { profiles: ['x'], env: { COMPOSE_PROFILES: 'debug' } }, 'db web', 'x'],
    [
      'COMPOSE_PROFILES when none is named',
      { profiles: [], env: { COMPOSE_PROFILES: 'debug' } },
      'db probe tool web',
      'debug',
    ],
    ['a blank is no separator', { env: { COMPOSE_PROFILES: 'x debug' } }, 'db web', 'x debug'],
    ['all of them', { profiles: ['*'] }, 'cache db probe tool web', '*'],
    ['a named service brings its own along', { services: ['probe', 'db', 'none'] }, 'db probe tool web', 'debug'],
  ]
  for (const [what, options, services, profiles] of cases)
    test(what, async () => {
      const found = await loaded(options)
      assert.deepEqual([found.services, found.profiles], [services, profiles])
    })

  test('the others are known as left out', async () => {
    assert.equal((await loaded({ profiles: ['debug'] })).off, 'cache')
    assert.equal((await loaded({})).off, 'cache probe tool')
  })

  test('one whose profile is an unset variable is there while none is in force', async () => {
    const yaml = 'services: {web: {image: web, profiles: ["${NONE-}"]}, db: {image: db}}\n'
    const there = async (options: Options) => Object.keys((await load(yaml, options)).project.services).sort()
    assert.deepEqual(await there({}), ['db', 'web'])
    assert.deepEqual(await there({ profiles: ['x'] }), ['db'])
  })
})

describe('what no service uses is taken out', () => {
  test('unless it is asked for', async () => {
    const all = await loaded({ allResources: true })
    assert.deepEqual(
      [all.networks, all.volumes, all.secrets, all.configs],
      ['back default fast unused', 'data unused', 'built key unused', 'conf unused'],
    )
  })

  test('as what only services use that are left out', async () => {
    const found = await loaded({})
    assert.deepEqual(
      [found.networks, found.volumes, found.secrets, found.configs],
      ['back default', 'data', 'key', 'conf'],
    )
    const more = await loaded({ profiles: ['*'] })
    assert.deepEqual([more.networks, more.secrets], ['back default fast', 'built key'])
  })
})

describe('services that are selected', () => {
  const cases: readonly (readonly [names: readonly string[], services: string])[] = [
    [['web'], 'db web'],
    [['db'], 'db'],
    [['tool'], 'probe tool'],
    [['db', 'probe'], 'db probe'],
    [['web', 'cache'], 'cache db web'],
  ]
  for (const [names, services] of cases)
    test(names.join(' and '), async () => {
      const found = await loaded({ selected: names, services: names })
      assert.equal(found.services, services)
    })

  test('forget what they need not have', async () => {
    const needs = async (selected: readonly string[], yaml = shop) =>
      Object.keys((await load(yaml, { selected, profiles: ['*'] })).project.services['web']!.dependsOn).sort()
    // what they may depend on comes along as well
    assert.deepEqual(await needs(['web']), ['cache', 'db'])
    const optional = `
services:
  web: {image: web, depends_on: {cache: {condition: service_started, required: false}}}
  cache: {image: cache, profiles: [fast]}
`
    const { project } = await load(optional, { selected: ['web'] })
    assert.deepEqual(Object.keys(project.services['web']!.dependsOn), [])
  })

  test('are all where none of them is there', async () => {
    assert.equal((await loaded({ selected: ['none'] })).services, 'db web')
  })
})
