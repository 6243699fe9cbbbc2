/** The shortest stack, from nothing to running to nothing. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { jsonLines, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { leftOver } from '../support/stock.ts'

const hello = fileURLToPath(new URL('../../examples/hello', import.meta.url))

describe('examples/hello', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  test('up, ps, logs, exec and down leave no process, mount, namespace, interface, table, cgroup or folder behind', async () => {
    const before = await engine.stock()
    const run = async (...args: readonly string[]): Promise<string> => {
      const said = await engine.tscompose(args, { cwd: hello })
      assert.equal(said.code, 0, `${args.join(' ')}\n${said.stdout}${said.stderr}\n${engine.log}`)
      return said.stdout
    }
    await run('up', '-d')
    const [container] = jsonLines(await run('ps', '--format', 'json'))
    assert.equal(container?.Service, 'hello')
    assert.equal(container?.State, 'running')
    await eventually('its first line', async () => /hello from [0-9a-f]{12}/.test(await run('logs')))
    const answer = await run('exec', '-T', 'hello', 'sh', '-c', 'id; hostname')
    assert.match(answer, /uid=0\(root\) gid=0/)
    assert.match(answer, /^[0-9a-f]{12}$/m)
    assert.match(await run('explain', '--steps', 'hello'), /overlay/)
    assert.notDeepEqual(leftOver(before, await engine.stock()), {}, 'a running container is seen by the stock-taking')
    await run('down')
    // the kernel takes a namespace away, and the interfaces with it, some time after its last process
    await eventually('the interfaces to be gone', async () => !('interfaces' in leftOver(before, await engine.stock())))
    assert.deepEqual(leftOver(before, await engine.stock()), {})
    assert.deepEqual(readdirSync(join(engine.folder, 'data', 'containers')), [])
    assert.deepEqual(readdirSync(join(engine.folder, 'run', 'containers')), [])
  })
})
