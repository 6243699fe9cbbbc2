/** testcontainers, by which other people's tests start what they need, against our engine. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'

const why = lacking(root(), program('busybox'), program('nft'))
const serve = (line: string) => ['sh', '-c', `mkdir -p /www && ${line}`]
const serving = serve('echo hello >/www/index.html && exec httpd -f -p 8080 -h /www')

describe('testcontainers', { skip: why, timeout: 180_000 * patience }, () => {
  let engine: TestEngine
  let lib: typeof import('testcontainers')
  const set = { TESTCONTAINERS_RYUK_DISABLED: 'true', TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1' }
  const kept = { ...process.env }
  before(async () => {
    engine = await TestEngine.start()
    // read when it is loaded; its lock file goes with the engine's folder
    Object.assign(process.env, set, engine.env, { TMPDIR: engine.folder })
    lib = await import('testcontainers')
  })
  after(async () => {
    for (const name of [...Object.keys(set), ...Object.keys(engine.env), 'TMPDIR'])
      if (kept[name] === undefined) delete process.env[name]
      else process.env[name] = kept[name]
    await engine.stop()
  })

  const busybox = (...command: string[]) => new lib.GenericContainer('busybox:latest').withCommand(command)
  const server = () =>
    busybox(...serving)
      .withExposedPorts(8080)
      .withStartupTimeout(30_000)
  const bodyOf = async (url: string) => (await fetch(url, { headers: { connection: 'close' } })).text()

  test('waits for a port, and reaches it from the host', async () => {
    await using container = await server().start()
    const place = `http://${container.getHost()}:${container.getMappedPort(8080)}/`
    assert.equal(await bodyOf(place), 'hello\n')
  })

  test('waits for a line of the log, as often as it is asked to, and gives up in time', async () => {
    const say = ['sh', '-c', 'for i in 1 2; do sleep 0.1; echo ready $i; done; sleep infinity']
    await using container = await busybox(...say)
      .withWaitStrategy(lib.Wait.forLogMessage(/ready \d/, 2))
      .start()
    let seen = ''
    for await (const text of await container.logs()) {
      seen += text
      if (seen.includes('ready 2')) break
    }
    assert.match(seen, /^ready 1\nready 2\n?$/)
    const never = busybox(...say).withWaitStrategy(lib.Wait.forLogMessage('never').withStartupTimeout(500))
    await assert.rejects(never.start(), /Log message "never" not received after 500ms/)
  })

  test('waits for health, for an answer over HTTP, for a command, and for the end of a task', async () => {
    const check = {
      test: ['CMD-SHELL', 'test -e /www/index.html'] as ['CMD-SHELL', string],
      interval: 100,
      retries: 50,
    }
    await using healthy = await server().withHealthCheck(check).withWaitStrategy(lib.Wait.forHealthCheck()).start()
    assert.equal((await healthy.exec(['cat', '/www/index.html'])).stdout, 'hello\n')
    await using answering = await server().withWaitStrategy(lib.Wait.forHttp('/', 8080).forStatusCode(200)).start()
    assert.ok(answering.getMappedPort(8080) > 0)
    const there = lib.Wait.forSuccessfulCommand('test -e /www/index.html')
    await using commanded = await server().withWaitStrategy(there).start()
    assert.ok(commanded.getId())
    const task = await busybox('true').withWaitStrategy(lib.Wait.forOneShotStartup()).start()
    await task.stop()
  })

  test('executes, copies in and out, and tells of the container', async () => {
    const folder = join(engine.folder, 'content')
    mkdirSync(folder)
    writeFileSync(join(folder, 'file'), 'of a folder')
    await using container = await busybox('sleep', 'infinity')
      .withEnvironment({ A: 'b' })
      .withLabels({ stage: 'test' })
      .withUser('65534')
      .withWorkingDir('/tmp')
      .withTmpFs({ '/scratch': 'rw,size=1m' })
      .withCopyContentToContainer([{ content: 'given', target: '/given', mode: 0o640 }])
      .withCopyDirectoriesToContainer([{ source: folder, target: '/folder' }])
      .start()
    const said = await container.exec(['sh', '-c', 'echo $A $C; id -u; pwd; cat /folder/file; echo no >&2; exit 3'], {
      env: { C: 'd' },
    })
    assert.deepEqual([said.exitCode, said.stdout, said.stderr], [3, 'b d\n65534\n/tmp\nof a folder', 'no\n'])
    assert.equal((await container.exec(['stat', '-c', '%a', '/given'])).stdout, '640\n')
    await container.copyContentToContainer([{ content: 'later', target: '/tmp/later' }])
    const archive = await container.copyArchiveFromContainer('/tmp/later')
    assert.match(await text(archive), /later/)
    assert.equal(container.getLabels()['stage'], 'test')
  })

  test('keeps its ports over a restart, and is gone after a stop', async () => {
    const container = await server().start()
    await container.restart()
    assert.equal(await bodyOf(`http://127.0.0.1:${container.getMappedPort(8080)}/`), 'hello\n')
    await container.stop()
    const left = await engine.docker(['ps', '-aq', '--filter', `id=${container.getId()}`])
    assert.equal(left.stdout, '')
  })

  test('joins containers by a network with aliases', async () => {
    await using network = await new lib.Network().start()
    await using web = await server().withNetwork(network).withNetworkAliases('web').start()
    await using client = await busybox('sleep', 'infinity').withNetwork(network).start()
    assert.equal((await client.exec(['wget', '-qO-', 'http://web:8080/'])).output, 'hello\n')
    assert.ok(web.getIpAddress(network.getName()))
  })

  test('takes a container again that it has left running, and no other', async () => {
    const reusable = (name: string) => server().withLabels({ name }).withReuse()
    const first = await reusable('one').start()
    const again = await reusable('one').start()
    const other = await reusable('two').start()
    assert.equal(again.getId(), first.getId())
    assert.notEqual(other.getId(), first.getId())
    await Promise.all([first.stop(), other.stop()])
  })

  test('builds the image it runs', async () => {
    const context = join(engine.folder, 'context')
    mkdirSync(context)
    writeFileSync(join(context, 'Dockerfile'), 'ARG OF=busybox\nFROM $OF\nARG SAID\nRUN echo "$SAID" >/said\n')
    const built = await lib.GenericContainer.fromDockerfile(context)
      .withBuildArgs({ SAID: 'built' })
      .build('built:1', { deleteOnExit: false })
    await using container = await built.withCommand(['sleep', 'infinity']).start()
    assert.equal((await container.exec(['cat', '/said'])).stdout, 'built\n')
    const made = await container.commit({ repo: 'made', tag: '1', deleteOnExit: false })
    assert.match(made, /^(sha256:)?[0-9a-f]{64}$/)
  })
})
