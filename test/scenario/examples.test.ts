/** The examples do what their READMEs say. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Said } from '../support/command.ts'
import { jsonLines, TestEngine } from '../support/engine.ts'
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
    assert.match(await run('logs'), /hello, world/)
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
    assert.match(await changed.run('logs'), /hello, you/)
    await run('down')
  })
})
