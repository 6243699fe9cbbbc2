/** The examples do what their READMEs say. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Said } from '../support/command.ts'
import { jsonLines, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { lacking, program, root } from '../support/needs.ts'

const examples = fileURLToPath(new URL('../../examples', import.meta.url))

describe('the examples', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  /** Runs commands in a copy of an example. */
  const inside = (name: string, env: Record<string, string> = {}) => {
    const folder = join(engine.folder, name)
    cpSync(join(examples, name), folder, { recursive: true })
    const attempt = (...args: readonly string[]): Promise<Said> => engine.tscompose(args, { cwd: folder, env })
    const run = async (...args: readonly string[]): Promise<string> => {
      const said = await attempt(...args)
      assert.equal(said.code, 0, `${name}: ${args.join(' ')}\n${said.stdout}${said.stderr}\n${engine.log}`)
      return said.stdout
    }
    return { run, attempt }
  }

  test('health-chain comes up in the order of its conditions', async () => {
    const { run } = inside('health-chain')
    assert.match(await run('plan', '--steps'), /wait-container .*store healthy/)
    await run('up', '-d', '--wait')
    const all = jsonLines(await run('ps', '--all', '--format', 'json'))
    assert.deepEqual(all.map(c => [c.Service, c.State]).sort(), [
      ['migrate', 'exited'],
      ['store', 'running'],
      ['web', 'running'],
    ])
    await run('down')
  })

  test('many-machines comes up on one machine too, and its page changes replica by replica', async () => {
    const { run } = inside('many-machines', { API_TOKEN: 'any' })
    await run('up', '-d', '--wait')
    const page = () => run('exec', '-T', 'store', 'wget', '-qO-', 'http://web/')
    assert.equal(await page(), 'the first page\n')
    const { run: again } = inside('many-machines', { API_TOKEN: 'any', EDITION: 'second' })
    assert.match(await again('plan'), /~ web: recreate 3 {2}environment\.EDITION first→second/)
    await again('up', '-d', '--wait')
    assert.equal(await page(), 'the second page\n')
    await run('down')
  })

  test('scale resolves one name to all replicas, and adds and removes only what differs', async () => {
    const { run } = inside('scale')
    await run('up', '-d')
    const answer = await run('exec', '-T', 'client', 'nslookup', 'web')
    assert.equal(new Set(answer.match(/Address(?: \d+)?: (?!127)\d+\.\d+\.\d+\.\d+/g)).size, 3, answer)
    const hosts = await run(
      'exec',
      '-T',
      'client',
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6 7 8 9; do wget -qO- http://web/; done',
    )
    assert.equal(new Set(hosts.trim().split('\n')).size, 3, hosts)
    const names = async (): Promise<readonly unknown[]> =>
      jsonLines(await run('ps', '--format', 'json', 'web')).map(c => c.ID)
    const three = await names()
    await run('up', '-d', '--scale', 'web=5')
    const five = await names()
    assert.equal(five.length, 5)
    assert.ok(three.every(id => five.includes(id)))
    await run('up', '-d')
    assert.deepEqual((await names()).toSorted(), three.toSorted())
    await run('down')
  })

  test('secrets reach their container as files of the right owner, and no log, label or environment', async () => {
    const { run } = inside('secrets', { API_TOKEN: 'open-sesame' })
    await run('up', '-d')
    assert.equal(await run('exec', '-T', 'app', 'cat', '/run/secrets/password'), 'not a real password\n')
    assert.equal(await run('exec', '-T', 'app', 'cat', '/run/token'), 'open-sesame')
    assert.match(await run('exec', '-T', 'app', 'ls', '-ln', '/run/token'), /^-r-------- .* 1000 /)
    await eventually('its line', async () => /hello, world/.test(await run('logs')))
    const inspected = await engine.docker(['inspect', 'secrets-app-1'])
    assert.doesNotMatch(inspected.stdout, /open-sesame/)
    assert.doesNotMatch(engine.log, /open-sesame/)
    const changed = inside('secrets', { API_TOKEN: 'open-sesame', NAME: 'you' })
    // a text of the stack file is put in when a container is made, and waits for that
    assert.match(await changed.run('plan'), /^no changes/)
    const plan = await changed.run('plan', '--force-recreate')
    assert.match(plan, /recreate .*\.text #[0-9a-f]{8}→#[0-9a-f]{8}/)
    assert.doesNotMatch(plan, /open-sesame/)
    await changed.run('up', '-d', '--force-recreate')
    await eventually('its other line', async () => /hello, you/.test(await changed.run('logs')))
    await run('down')
  })

  test('ci ends as its tests do, and tells last what failed', async () => {
    const { attempt, run } = inside('ci')
    const good = await attempt('up', '--exit-code-from', 'test')
    assert.equal(good.code, 0, good.stderr)
    assert.match(good.stderr, /test-1 +\| hello, world/)
    const bad = await inside('ci', { TEXT: 'bye' }).attempt('up', '--force-recreate', '--abort-on-container-failure')
    assert.equal(bad.code, 1)
    assert.match(bad.stderr, /Last output of ci-test-1:\n {2}bye\nerror container ci-test-1 exited with code 1\n$/)
    await run('--annotations', 'github', 'up', '--wait', '--wait-timeout', '60', 'app')
    await run('down')
  })

  test('limits are explained with their lines, and changed on the container as it is', async () => {
    const { run } = inside('limits')
    await run('up', '-d')
    const id = async () => (await run('ps', '-q')).trim()
    const before = await id()
    assert.match(
      await run('explain', 'worker'),
      /Memory is limited to 64 MiB +# compose\.yaml:7:5 services\.worker\.mem_limit/,
    )
    const rights = await run('explain', '--security', 'worker')
    assert.match(rights, /^\* capabilities +none$/m)
    assert.match(rights, /^\* writes to +\/run \(memory\), \/tmp \(memory\)$/m)
    assert.match(rights, /^\* processes +20 at most$/m)
    await run('audit')
    const more = inside('limits', { MEMORY: '128m' })
    assert.match(await more.run('plan'), /worker: in place {2}mem_limit 64m→128m/)
    await more.run('up', '-d')
    assert.equal(await id(), before)
    assert.match(await run('stats', '--no-stream'), /128MiB/)
    await run('down')
  })

  test('backup brings back what was in a volume', async () => {
    const { run } = inside('backup')
    await run('up', '-d')
    await run('exec', '-T', 'store', 'sh', '-c', 'echo precious > /data/a')
    await run('snapshot', 'create', 'before')
    await run('exec', '-T', 'store', 'rm', '/data/a')
    await run('snapshot', 'restore', '-y', 'before')
    assert.equal(await run('exec', '-T', 'store', 'cat', '/data/a'), 'precious\n')
    await run('down', '-v')
    await run('snapshot', 'rm', 'before')
  })

  test('update takes the port over, and goes back from a version that is not well', async () => {
    const PORT = String(await freePort())
    const of = (VERSION: string) => inside('update', { VERSION, PORT })
    const served = async () => await (await fetch(`http://127.0.0.1:${PORT}/`)).text()
    await of('1').run('up', '-d', '--wait')
    assert.equal(await served(), 'version 1\n')
    assert.match(await of('2').run('plan'), /start-first/)
    await of('2').run('up', '-d', '--wait')
    assert.equal(await served(), 'version 2\n')
    const broken = await of('broken').attempt('up', '-d')
    assert.equal(broken.code, 1)
    assert.match(broken.stderr, /it goes back to what it was/)
    assert.equal(await served(), 'version 2\n')
    assert.match(await of('2').run('history'), /failed/)
    await of('2').run('down')
  })
})
