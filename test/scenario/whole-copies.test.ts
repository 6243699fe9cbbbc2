/** Roots as whole copies (vfs), where overlay is refused by the file system or by the settings: all that touches a root works on them. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { command } from '../support/command.ts'
import { type Stack, TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'

const skip = lacking(root(), program('busybox'), program('nft'))

const yaml = `
services:
  web:
    build: .
    image: copied
    command: sleep 1000
    stop_grace_period: 0s
    read_only: false
    volumes: ['/data', { type: image, source: two, target: /shown }]
`
const dockerfile = `FROM busybox AS base
RUN mkdir /data /gone /again && echo one > /data/a && echo two > /gone/b && echo three > /again/c && echo kept > /kept
FROM base AS two
RUN --mount=type=bind,from=base,target=/from --mount=type=bind,from=base,target=/new,rw \\
  cat /from/kept /new/kept > /both && echo x > /new/x && rm -r /gone /again && mkdir /again && ln /both /linked && chown 7:8 /both
COPY put /
FROM two
RUN test ! -e /gone && test -z "$(ls /again)" && rm /kept && test "$(cat /both)" = "$(printf 'kept\\nkept')"
`

describe('whole copies, where the data lies on overlay', { skip }, () =>
  suite(
    () => TestEngine.start(['busybox'], { onOverlay: true }),
    /each container has a whole copy of its image \(vfs\): overlay is refused there: /,
  ),
)
describe('whole copies, where the settings ask for them', { skip }, () =>
  suite(
    () =>
      TestEngine.start(['busybox'], {
        config: () => ({ 'storage-driver': 'vfs' }),
      }),
    /\(vfs\): it is set so/,
  ),
)

function suite(start: () => Promise<TestEngine>, told: RegExp): void {
  let engine: TestEngine
  let stack: Stack
  let client: Client
  before(async () => {
    engine = await start()
    client = createClient(engine.host)
    stack = engine.stack(yaml, 'copies')
    writeFileSync(join(stack.folder, 'Dockerfile'), dockerfile)
    writeFileSync(join(stack.folder, 'put'), 'put\n')
  })
  after(async () => {
    client?.close()
    await engine.stop()
  })

  const id = async () =>
    (
      await client.call(endpoints.containerInspect, {
        params: { id: 'copies-web-1' },
      })
    ).Id
  const sh = (script: string) => stack.run('exec', '-T', 'web', 'sh', '-c', script)

  test('it is told', async () => {
    assert.match(engine.log, told)
    assert.equal((await client.call(endpoints.info, {})).Driver, 'vfs')
  })

  test('builds with whiteouts, links, mounts of stages', async () => {
    await stack.run('build')
    const stage = engine.stack('services: { two: { build: { context: ., target: two }, image: two } }')
    writeFileSync(join(stage.folder, 'Dockerfile'), dockerfile)
    writeFileSync(join(stage.folder, 'put'), 'put\n')
    await stage.run('build')
  })

  test('a container starts, and what it changes is seen, sized, committed and exported', async () => {
    await stack.run('up', '-d')
    assert.equal(
      await sh('cat /data/a /both /put; ls /gone /kept 2>&1 | grep -c "No such"; stat -c %u:%g:%h /linked'),
      'one\nkept\nkept\nput\n2\n7:8:2\n',
    )
    assert.equal(
      await sh('ls /shown/again; cat /shown/kept; touch /shown/x 2>/dev/null || echo refused'),
      'kept\nrefused\n',
    )
    await sh('rm /put; mkdir /made; printf 12345 > /made/f; chmod 600 /both; touch /linked')
    const changes = await client.call(endpoints.containerChanges, {
      params: { id: await id() },
    })
    assert.deepEqual(
      changes?.map(({ Path, Kind }) => `${'CAD'[Kind]} ${Path}`),
      ['C /both', 'C /linked', 'A /made', 'A /made/f', 'A /shown', 'D /put'].sort((a, b) =>
        a.slice(2) < b.slice(2) ? -1 : 1,
      ),
    )
    const sized = await client.call(endpoints.containerInspect, {
      params: { id: await id() },
      query: { size: true },
    })
    assert.equal(sized.SizeRw, 5 + 'kept\nkept\n'.length)
    assert.equal(sized.Driver, 'vfs')
    assert.deepEqual(sized.GraphDriver, { Name: 'vfs', Data: null })
    const { Id } = await client.call(endpoints.containerCommit, {
      query: { container: await id(), repo: 'committed' },
      body: {},
    })
    assert.match(Id, /^sha256:/)
    const run = engine.stack(
      'services: { c: { image: committed, command: sh -c "ls /put; cat /made/f; stat -c %a /both; ls -d /data /dev/null" } }',
    )
    const { stdout } = await run.try('up', '--no-log-prefix')
    assert.match(stdout, /12345.*600\n\/data\n\/dev\/null/s)
    assert.doesNotMatch(stdout, /^\/put$/m)
    await run.run('down')
    const { content } = await client.stream(endpoints.containerExport, {
      params: { id: await id() },
    })
    writeFileSync(join(engine.folder, 'exported.tar'), await buffer(Readable.from(content)))
    const listed = (await command('tar', ['-tf', join(engine.folder, 'exported.tar')])).stdout.split('\n')
    assert.ok(
      listed.includes('made/f') && listed.includes('both') && !listed.includes('put') && !listed.includes('kept'),
    )
  })

  test('files are copied into it and out, running and not; what it wrote is there after a restart', async () => {
    for (const state of ['running', 'stopped']) {
      if (state === 'stopped') await stack.run('stop')
      writeFileSync(join(stack.folder, 'in'), `${state}\n`)
      await stack.run('cp', 'in', 'web:/made/in')
      await stack.run('cp', 'web:/made/in', 'out')
      assert.equal((await command('cat', [join(stack.folder, 'out')])).stdout, `${state}\n`)
    }
    await stack.run('start')
    assert.equal(await sh('cat /made/f /made/in'), '12345stopped\n')
  })

  test('another container has the image as it was, both are counted, and all goes with them', async () => {
    await stack.run('up', '-d', '--scale', 'web=2')
    assert.equal(
      await stack.run(
        'exec',
        '-T',
        '--index',
        '2',
        'web',
        'sh',
        '-c',
        'cat /put; ls -d /made 2>&1 | grep -c "No such"',
      ),
      'put\n1\n',
    )
    const df = await client.call(endpoints.diskUsage, {})
    assert.equal(df.Containers?.length, 2)
    await stack.run('down', '-v')
    const containers = join(engine.roots.data, 'containers')
    assert.deepEqual(existsSync(containers) ? readdirSync(containers) : [], [])
    assert.deepEqual(
      readdirSync(engine.roots.data).filter(name => name.startsWith('overlay-')),
      [],
    )
  })
}
