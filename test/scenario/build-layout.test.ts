/** Images that lie in a folder (OCI layouts) as contexts of a build: by our client, and by buildx. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { lacking, peerPlugin, program, root } from '../support/needs.ts'

describe('an OCI layout as a context of a build', { skip: lacking(root(), program('busybox')) }, () => {
  let engine: TestEngine
  let folder: string
  before(async () => {
    engine = await TestEngine.start()
    folder = join(engine.folder, 'layouts')
    mkdirSync(join(folder, 'kept'), { recursive: true })
    // an image with a layer that nothing else has, which is only in the folder then
    writeFileSync(join(folder, 'Dockerfile'), 'FROM busybox\nRUN echo kept > /kept\nENV KEPT=1\n')
    writeFileSync(join(folder, 'compose.yaml'), 'services:\n  a: {build: ., image: "kept:7"}\n')
    await ok('build')
    await ok('image', 'save', '-o', join(folder, 'kept.tar'), 'kept:7')
    await command('tar', ['-xf', '../kept.tar'], { cwd: join(folder, 'kept') })
    await ok('image', 'rm', 'kept:7')
    writeFileSync(join(folder, 'Dockerfile'), 'FROM base\nCOPY --from=base /kept /copied\nRUN echo "$KEPT" > /told\n')
  })
  after(() => engine.stop())

  const ok = async (...args: readonly string[]) => {
    const said = await engine.tscompose(args, { cwd: folder, timeout: 120_000 })
    assert.equal(said.code, 0, said.stdout + said.stderr)
    return said.stdout
  }
  const stack = (place: string) =>
    writeFileSync(
      join(folder, 'compose.yaml'),
      `services:\n  a:\n    image: made:1\n    build: {context: ., additional_contexts: {base: "oci-layout://${place}"}}\n    command: cat /copied /told\n`,
    )
  const asked = async <T>(ask: (client: Client) => Promise<T>): Promise<T> => {
    const client = createClient(engine.host)
    try {
      return await ask(client)
    } finally {
      client.close()
    }
  }
  /** Of all images, those without one too. */
  const names = async () => {
    const images = await asked(client => client.call(endpoints.imageList, { query: { all: true } }))
    return images.map(({ RepoTags: tags }) => tags?.join() ?? '').sort()
  }

  test('is found by its tag, below the project, and leaves nothing in the engine but what was built of it', async () => {
    stack('./kept:7')
    await ok('build')
    assert.equal(await ok('run', '--rm', 'a'), 'kept\n1\n')
    assert.deepEqual(await names(), ['busybox:latest', 'made:1'])
    // all of it out of the cache, for which the layout is read again
    await ok('build')
    assert.deepEqual(await names(), ['busybox:latest', 'made:1'])
  })

  test('is the only image of a folder where no tag is named, or the one of a digest', async () => {
    const { manifests } = JSON.parse(readFileSync(join(folder, 'kept/index.json'), 'utf8'))
    for (const place of [join(folder, 'kept'), `${join(folder, 'kept')}@${manifests[0].digest}`]) {
      stack(place)
      await ok('build', '--no-cache')
      assert.equal(await ok('run', '--rm', 'a'), 'kept\n1\n')
    }
  })

  test('that is not there, has no such image, or other bytes than it says is refused by name', async () => {
    const refused = async (place: string, words: RegExp) => {
      stack(place)
      const { code, stderr } = await engine.tscompose(['build', '--no-cache'], { cwd: folder })
      assert.equal(code, 1)
      assert.match(stderr, words)
    }
    await refused('./none', /Cannot read ".*\/none\/index.json" of an OCI layout: ENOENT/)
    await refused('./kept:8', /OCI layout ".*\/kept" has no image "8"/)
    await refused(`./kept@sha256:${'1'.repeat(64)}`, /blob sha256:1+: not found/)
    await refused('./kept@sha256:12', /it should have a digest/)
    await command('cp', ['-r', 'kept', 'broken'], { cwd: folder })
    const blobs = join(folder, 'broken/blobs/sha256')
    for (const name of readdirSync(blobs)) {
      const data = readFileSync(join(blobs, name))
      // the documents are right, the layers are not
      if (data.length > 10_000 || data[0] !== 0x7b) writeFileSync(join(blobs, name), Buffer.alloc(data.length))
    }
    await ok('image', 'rm', '-f', 'made:1')
    await asked(client => client.call(endpoints.buildPrune, { query: { all: true } }))
    const before = await names()
    await refused('./broken', /sha256|digest/)
    assert.deepEqual(await names(), before)
  })

  const buildx = peerPlugin('docker-buildx')
  test('is sent by buildx', { skip: lacking(!buildx && 'docker-buildx') }, async () => {
    const args = ['build', '--load', '-t', 'by-buildx:1', '--build-context', `base=oci-layout://${folder}/kept:7`, '.']
    const said = await command(buildx!, args, { cwd: folder, env: engine.env, timeout: 120_000 })
    assert.equal(said.code, 0, said.stderr)
    assert.ok((await names()).includes('by-buildx:1'))
  })
})
