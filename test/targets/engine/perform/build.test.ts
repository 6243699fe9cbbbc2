import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { auth, secrets } from '../../../../src/api/buildkit/session-services.ts'
import { build } from '../../../../src/targets/engine/perform/build.ts'
import { buildsOf } from '../../../../src/targets/engine/perform/builds.ts'
import type { BuildOrder } from '../../../../src/targets/engine/plan/build-order.ts'
import { builder, received, type SolveRequest } from '../../../client/buildkit/builder.ts'
import { image, nothing, project, service } from '../plan/project.ts'

const root = mkdtempSync(join(tmpdir(), 'tscompose-build-'))
after(() => rmSync(root, { recursive: true }))
writeFileSync(join(root, 'Dockerfile'), 'FROM base')
writeFileSync(join(root, 'token'), 'from a file')

function orderOf(own: Partial<BuildOrder> = {}): BuildOrder {
  return {
    names: ['shop-web'],
    attributes: { filename: 'Dockerfile' },
    folders: { context: root },
    dockerfile: { kind: 'file', file: join(root, 'Dockerfile') },
    secrets: [],
    ssh: [],
    entitlements: [],
    cacheFrom: [],
    cacheTo: [],
    ...own,
  }
}

/** Builds on an engine of that name; `ask` is what the builder does meanwhile. */
async function run(
  order: BuildOrder,
  { platform = 'x', ask = async () => {} }: { platform?: string; ask?: (session: never) => Promise<unknown> } = {},
) {
  const warnings: string[] = []
  let request: SolveRequest | undefined
  const made = builder(async building => {
    request = building.request
    await ask(building.session as never)
    return new Map()
  })
  const client = {
    ...made.client,
    call: async ({ name }: { readonly name: string }) =>
      name === 'version' ? { Platform: { Name: platform } } : { Id: 'sha256:made' },
  } as typeof made.client
  const operation = {
    kind: 'build-image',
    cause: '',
    name: 'shop-web',
    services: ['web'],
    order,
    place: () => undefined,
  } as const
  const id = await build(operation, {
    client,
    signal: new AbortController().signal,
    onBuild: () => {},
    onWarning: text => warnings.push(text),
    registryAuth: async reference =>
      reference === 'docker.io/x'
        ? Buffer.from(JSON.stringify({ username: 'me', password: 'pass' })).toString('base64url')
        : undefined,
  })
  await made.over()
  return { id, warnings, request: request! }
}

describe('build()', () => {
  test('gives the id of the image as the engine has it', async () => {
    assert.equal((await run(orderOf())).id, 'sha256:made')
  })

  test('serves the context, the folder of the Dockerfile, secrets and credentials', async () => {
    const order = orderOf({
      secrets: [
        { id: 'f', source: { kind: 'file', file: join(root, 'token') } },
        { id: 'v', source: { kind: 'value', value: 'hush' } },
        { id: 'n', source: { kind: 'none' } },
        { id: 'gone', source: { kind: 'file', file: join(root, 'no-such') } },
      ],
    })
    await run(order, {
      ask: async (session: Parameters<typeof received>[0]) => {
        const only = { followpaths: ['Dockerfile'] }
        assert.deepEqual(await received(session, 'dockerfile', only), { Dockerfile: 'FROM base' })
        assert.deepEqual(Object.keys(await received(session, 'context')), ['Dockerfile', 'token'])
        const secret = async (id: string) =>
          Buffer.from((await session.call(secrets.getSecret, { id })).data).toString()
        assert.deepEqual([await secret('f'), await secret('v')], ['from a file', 'hush'])
        await assert.rejects(secret('n'), { kind: 'not-found' })
        await assert.rejects(secret('gone'), { kind: 'invalid', message: /no-such" cannot be read \(ENOENT\)/ })
        const known = await session.call(auth.credentials, { host: 'registry-1.docker.io' })
        assert.deepEqual([known.username, known.secret], ['me', 'pass'])
        assert.equal((await session.call(auth.credentials, { host: 'other' })).secret, '')
      },
    })
  })

  test('says what is not there before it asks for anything', async () => {
    const gone = join(root, 'gone')
    await assert.rejects(run(orderOf({ folders: { context: gone } })), {
      kind: 'not-found',
      message: /no folder ".*gone"/,
    })
    await assert.rejects(run(orderOf({ dockerfile: { kind: 'file', file: gone } })), {
      message: /open .*gone: no such file/,
    })
  })

  test('leaves attestations out for our engine, and says so; others are asked for them', async () => {
    const order = orderOf({ attributes: { filename: 'Dockerfile', 'attest:sbom': '' } })
    const ours = await run(order, { platform: 'tscompose' })
    assert.deepEqual([...ours.request.frontendAttributes.keys()], ['filename'])
    assert.match(ours.warnings.join(), /"shop-web" gets no attestation \(sbom\)/)
    const other = await run(order)
    assert.deepEqual([[...other.request.frontendAttributes.keys()], other.warnings], [['filename', 'attest:sbom'], []])
  })
})

test('buildsOf() orders by the Dockerfiles, and reads none where there is nothing to build', async () => {
  writeFileSync(join(root, 'On'), 'ARG BASE=nothing\nFROM ${BASE}\n')
  const own = { context: root, args: {}, additionalContexts: {}, labels: {}, tags: [], platforms: [], secrets: [] }
  const rest = { cacheFrom: [], cacheTo: [], noCache: false, noCacheFilter: [], pull: false, extraHosts: [] }
  const none = { privileged: false, ssh: [], ulimits: [], entitlements: [] }
  const shop = project([
    service('a', { image: 'a', build: { ...own, ...rest, ...none, dockerfile: 'On' } }),
    service('b', { image: 'b', build: { ...own, ...rest, ...none } }),
    service('c', { image: 'c', build: { ...own, ...rest, ...none, dockerfile: 'missing' } }),
  ])
  const plan = await buildsOf(shop, nothing({ images: new Map() }), { when: 'missing', flags: { args: { BASE: 'b' } } })
  assert.deepEqual(
    plan.nodes.map(({ operation, after }) => [operation.name, after]),
    [
      ['b', []],
      ['c', []],
      ['a', [1]],
    ],
  )
  const images = new Map(['a', 'b', 'c'].map(name => [name, image('sha256:1')] as const))
  assert.equal((await buildsOf(shop, nothing({ images }), { when: 'missing' })).empty, true)
})
