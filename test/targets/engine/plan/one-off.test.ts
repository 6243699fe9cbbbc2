import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFailure } from '../../../../src/lib/failure.ts'
import { type OneOff, planOneOff } from '../../../../src/targets/engine/plan/one-off.ts'
import { reconcile } from '../../../../src/targets/engine/plan/reconcile.ts'
import { applied, attachment, image, network, nothing, project, service } from './project.ts'

const networks = { default: network('default'), back: network('back') }
const shop = project(
  [
    service('web', {
      networks: { back: attachment('back', { aliases: ['site', 'web'] }), default: attachment('default') },
      links: [{ service: 'db', alias: 'database' }],
      labels: { own: 'label' },
      command: ['serve'],
    }),
    service('db', { replicas: 2 }),
    service('shell', { networkMode: { kind: 'service', service: 'db' }, pid: { kind: 'service', service: 'db' } }),
    service('alone', { networkMode: { kind: 'none' } }),
  ],
  { networks },
)
const up = applied(reconcile(shop, nothing()), nothing())

function made(name: string, own: Partial<OneOff> = {}) {
  const rest = { pull: undefined, quietOrphans: true, wait: true, name: undefined, useAliases: false }
  const change: OneOff['change'] = body => body
  const one = {
    ...rest,
    project: shop,
    observed: up,
    slug: 'f'.repeat(64),
    change,
    service: shop.services[name]!,
    ...own,
  }
  const { plan, name: called } = planOneOff(one)
  const created = plan.nodes.map(({ operation }) => operation).find(each => each.kind === 'create-container')
  assert.ok(created?.kind === 'create-container')
  return { plan, called, created, body: created.body }
}

test('planOneOff() makes a container that is no replica and answers for no service', () => {
  const { called, created, body, plan } = made('web')
  assert.equal(called, 'shop-web-run-ffffffffffff')
  assert.deepEqual([created.name, created.createName, created.cause], [called, called, 'asked for by run'])
  assert.deepEqual(
    plan.nodes.map(({ operation }) => operation.kind),
    ['create-container'],
  )
  const { Labels: labels = {} } = body
  assert.equal(labels['com.docker.compose.oneoff'], 'True')
  assert.equal(labels['com.docker.compose.slug'], 'f'.repeat(64))
  assert.equal(labels['own'], 'label')
  assert.equal(labels['com.docker.compose.container-number'], undefined)
  const aliases = Object.values(body.NetworkingConfig?.EndpointsConfig ?? {}).flatMap(each => each?.Aliases ?? [])
  assert.ok(!aliases.includes('web') && !aliases.includes('site'), String(aliases))
})

test('planOneOff() with `useAliases` has it answer for its service on each of its networks, by each name once', () => {
  const { body } = made('web', { useAliases: true })
  for (const [name, endpoint] of Object.entries(body.NetworkingConfig?.EndpointsConfig ?? {})) {
    const own = (endpoint?.Aliases ?? []).filter(alias => ['web', 'site'].includes(alias))
    assert.deepEqual(own.toSorted(), ['site', 'web'], name)
  }
  assert.deepEqual(Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {}).toSorted(), ['shop_back', 'shop_default'])
  assert.equal(made('alone', { useAliases: true }).body.NetworkingConfig, undefined)
})

test('planOneOff() takes the name it is given, and what the command line changes', () => {
  const { called, created, body } = made('web', { name: 'mine', change: body => ({ ...body, Cmd: ['sh'], Tty: true }) })
  assert.deepEqual([called, created.createName, body.Cmd, body.Tty], ['mine', 'mine', ['sh'], true])
})

test('planOneOff() links it to all replicas, and has it share with the first of them', () => {
  const links = Object.values(made('web').body.NetworkingConfig?.EndpointsConfig ?? {}).flatMap(
    each => each?.Links ?? [],
  )
  assert.ok(links.includes('shop-db-1:database'), String(links))
  const first = up.containers.find(({ name }) => name === 'shop-db-1')!.id
  const reversed = { ...up, containers: up.containers.toReversed() }
  for (const observed of [up, reversed]) {
    const late = made('shell', { observed }).created.late.map(({ path, ref, before }) => [path.at(-1), before, ref])
    assert.deepEqual(late.slice(0, 2), [
      ['NetworkMode', 'container:', first],
      ['PidMode', 'container:', first],
    ])
  }
})

test('planOneOff() says what is missing where it would share with a container that is not there', () => {
  const containers = up.containers.map(each => (each.service === 'db' ? { ...each, oneOff: true } : each))
  assert.throws(
    () => made('shell', { observed: { ...up, containers } }),
    (error: unknown) =>
      isFailure(error, 'not-found') &&
      error.message === 'cannot share network namespace with service db: container missing' &&
      error.hint === 'Start it with "tscompose up -d db"',
  )
})

test('planOneOff() pulls what is missing, or as it is asked to, before the container is made', () => {
  const observed = { ...up, images: new Map() }
  const { plan, created } = made('web', { observed })
  assert.deepEqual(
    plan.nodes.map(({ operation, after }) => [operation.kind, after]),
    [
      ['pull-image', []],
      ['create-container', [1]],
    ],
  )
  assert.equal(created.platform, undefined)
  const other = { ...shop, services: { web: { ...shop.services['web']!, platform: 'linux/arm64' } } }
  assert.equal(made('web', { project: other, service: other.services.web }).created.platform, 'linux/arm64')
  assert.deepEqual(
    made('web', { observed, pull: 'never' }).plan.nodes.map(({ operation }) => operation.kind),
    ['create-container'],
  )
})

test('planOneOff() puts into it what configs and secrets are made of', () => {
  const config = { source: 'text', target: '/text', path: [] }
  const stack = project([service('web', { configs: [config] })], {
    configs: { text: { key: 'text', name: 'text', labels: {}, source: { kind: 'content', content: 'a' } } },
  })
  const { plan } = made('web', { project: stack, service: stack.services['web']!, observed: nothing() })
  const last = plan.nodes.at(-1)!
  assert.ok(last.operation.kind === 'upload-files')
  const { files, container, service: of, name } = last.operation
  assert.deepEqual(files, [{ target: '/text', content: 'a', uid: 0, gid: 0, mode: 0o444 }])
  assert.deepEqual([container, of, name], [{ node: last.id - 1 }, 'web', 'shop-web-run-ffffffffffff'])
  assert.deepEqual(last.after, [last.id - 1])
})

test('planOneOff() says which orphans stay, unless it is not to', () => {
  const other = { ...up.containers[0]!, id: 'e'.repeat(64), name: 'shop-old-1', service: 'old' }
  const observed = { ...up, containers: [...up.containers, other] }
  assert.match(made('web', { observed, quietOrphans: false }).plan.warnings.join(), /shop-old-1/)
  assert.deepEqual(made('web', { observed }).plan.warnings, [])
})

test('planOneOff() waits for what the service needs, unless it is not to', () => {
  const dependsOn = {
    db: { service: 'db', condition: 'healthy', required: true, restart: false },
    alone: { service: 'alone', condition: 'started', required: true, restart: false },
  } as const
  const stack = project([service('web', { dependsOn }), service('db', { replicas: 2 }), service('alone')])
  const observed = applied(reconcile(stack, nothing()), nothing({ images: new Map([['busybox', image('x')]]) }))
  const kinds = (wait: boolean) =>
    made('web', { project: stack, service: stack.services['web']!, observed, wait }).plan.nodes.map(
      ({ operation, after }) => `${operation.kind} ${operation.name} <${after}>: ${operation.cause}`,
    )
  assert.deepEqual(kinds(true), [
    'wait-container shop-db-1 <>: web needs db healthy',
    'wait-container shop-db-2 <>: web needs db healthy',
    'create-container shop-web-run-ffffffffffff <1,2>: asked for by run',
  ])
  assert.deepEqual(kinds(false), ['create-container shop-web-run-ffffffffffff <>: asked for by run'])
})
