import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Failure } from '../../src/lib/failure.ts'
import { fakeClient, summary, tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-variables-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'compose.yaml'), 'name: shop\nservices:\n  web: {image: a}\n  built: {build: .}\n')

const engine = () =>
  fakeClient({
    containerList: () => [summary('web', 1)],
    networkList: () => [],
    volumeList: () => ({ Volumes: [], Warnings: null }),
    containerStop: () => undefined,
    containerInspect: () => {
      throw new Failure('not-found', 'no such container')
    },
    imageInspect: () => {
      throw new Failure('not-found', 'no such image')
    },
  })

const stop = (env: Readonly<Record<string, string>>, ...argv: string[]) =>
  tscompose([...argv, '-p', 'shop', 'stop'], { client: engine(), env })

describe('variables', () => {
  test('COMPOSE_STATUS_STDOUT moves status to standard output', async () => {
    const usual = await stop({})
    assert.deepEqual([usual.stdout, usual.stderr.includes('shop-web-1')], ['', true])
    const moved = await stop({ COMPOSE_STATUS_STDOUT: '1' })
    assert.deepEqual([moved.stdout, moved.stderr], [usual.stderr, ''])
  })

  test('what the launcher adds is not seen by stacks, what the user has set is', async () => {
    const seen = async (env: Readonly<Record<string, string>>) =>
      (await tscompose(['config', '--environment'], { cwd: folder, env })).stdout.match(/^.*CACHE.*$/gm) ?? []
    assert.deepEqual(await seen({ NODE_COMPILE_CACHE: '/ours', TSCOMPOSE_CODE_CACHE: '/ours' }), [])
    assert.deepEqual(await seen({ NODE_COMPILE_CACHE: '/mine' }), ['NODE_COMPILE_CACHE=/mine'])
    assert.deepEqual(await seen({ NODE_COMPILE_CACHE: '/mine', TSCOMPOSE_CODE_CACHE: '/ours' }), [
      'NODE_COMPILE_CACHE=/mine',
    ])
  })

  test('COMPOSE_PROGRESS stands for --progress, which wins', async () => {
    assert.equal((await stop({ COMPOSE_PROGRESS: 'quiet' })).stderr, '')
    assert.match((await stop({ COMPOSE_PROGRESS: 'quiet' }, '--progress', 'plain')).stderr, /shop-web-1/)
    assert.match((await stop({ COMPOSE_PROGRESS: 'loud' })).stderr, /Cannot use COMPOSE_PROGRESS "loud"/)
  })

  for (const name of ['COMPOSE_BAKE', 'COMPOSE_CONVERT_WINDOWS_PATHS', 'COMPOSE_EXPERIMENTAL'])
    test(`${name} is told to have no effect, when it asks for something`, async () => {
      assert.match((await stop({ [name]: 'true' })).stderr, new RegExp(`${name} has no effect`))
      assert.doesNotMatch((await stop({ [name]: 'false' })).stderr, new RegExp(name))
    })

  test('COMPOSE_PARALLEL_LIMIT must be a number', async () => {
    const { code, stderr } = await stop({ COMPOSE_PARALLEL_LIMIT: 'x' })
    assert.equal(code, 1)
    assert.match(stderr, /COMPOSE_PARALLEL_LIMIT "x": it is not a whole number/)
  })

  test('.env speaks as the process does, and is overruled by it', async () => {
    const dir = mkdtempSync(join(folder, 'env'))
    writeFileSync(join(dir, '.env'), 'COMPOSE_PROGRESS=quiet\nCOMPOSE_PROJECT_NAME=shop\n')
    const run = async (env: Readonly<Record<string, string>>) =>
      (
        await tscompose(['stop'], {
          client: engine(),
          cwd: dir,
          env: { ...env, COMPOSE_FILE: join(folder, 'compose.yaml') },
        })
      ).stderr
    assert.equal(await run({}), '')
    assert.match(await run({ COMPOSE_PROGRESS: 'plain' }), /shop-web-1/)
  })
})

describe('builds', () => {
  for (const [argv, shown] of [
    [['up', '--build', '--dry-run', 'built'], /image shop-built +build-image +asked for by --build/],
    [['create', '--dry-run', 'built'], /image shop-built +build-image +not present/],
    [['run', '--build', '--dry-run', 'built'], /image shop-built +build-image +asked for by --build/],
    [['up', '--build', '--dry-run', 'web'], /^(?!.*build-image)/s],
    [
      ['up', '-d', '--no-build', 'built'],
      /Cannot run service "built": its image "shop-built" is not here, and --no-build/,
    ],
    [['up', '--no-build', '--build', 'built'], /--build and --no-build are incompatible/],
    [['build', 'web'], /No services to build/],
    [['build', '--builder', 'x'], /Cannot build with builder "x"/],
  ] as const)
    test(`${argv.join(' ')} says ${shown}`, async () => {
      const { stderr } = await tscompose(argv, { client: engine(), cwd: folder })
      assert.match(stderr, shown)
    })

  test('build --print prints a bake file', async () => {
    const { stdout } = await tscompose(['build', '--print', '--build-arg', 'A=1', '--no-cache'], { cwd: folder })
    const { target } = JSON.parse(stdout)
    assert.deepEqual(
      [target.built.args, target.built['no-cache'], target.built.tags],
      [{ A: '1' }, true, ['shop-built']],
    )
  })
})

describe('convert', () => {
  test('is config by its old name', async () => {
    const outputs = await Promise.all(
      ['config', 'convert'].map(name => tscompose([name, '--services'], { cwd: folder })),
    )
    assert.deepEqual(outputs[0], outputs[1])
    assert.equal(outputs[0]!.code, 0)
  })
})
