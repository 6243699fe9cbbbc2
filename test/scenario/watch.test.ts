/** develop.watch: what changed sources lead to in containers that run. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Stack, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'

const sleeper = 'image: busybox\n    command: sleep infinity\n    stop_signal: SIGKILL'

describe('watch', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  const inside = (stack: Stack, ...words: readonly string[]) => stack.run('exec', '-T', 'web', ...words)

  test('syncs what is written, removed, linked and moved, as the user of the container', async () => {
    const stack = engine.stack(`services:
  web:
    ${sleeper}
    user: "1000:1000"
    develop:
      watch: [{path: src, action: sync, target: /app, ignore: ["**/*.tmp"], initial_sync: true}]
`)
    const src = join(stack.folder, 'src')
    mkdirSync(join(src, 'old'), { recursive: true })
    writeFileSync(join(src, 'first'), 'first\n')
    writeFileSync(join(src, 'old/a'), 'a\n')
    await using watch = stack.begin('watch')
    let at = await watch.says(/^Watch enabled$/m)
    assert.equal(await inside(stack, 'cat', '/app/first', '/app/old/a'), 'first\na\n')

    writeFileSync(join(src, 'script'), '#!/bin/sh\necho run\n')
    chmodSync(join(src, 'script'), 0o755)
    writeFileSync(join(src, 'left.tmp'), 'never')
    symlinkSync('script', join(src, 'link'))
    mkdirSync(join(src, 'new/deep'), { recursive: true })
    writeFileSync(join(src, 'new/deep/b'), 'b\n')
    at = await watch.says(/^Syncing service "web" after 5 changes were detected$/m, { from: at })
    await eventually(
      'the sync',
      async () => (await stack.try('exec', '-T', 'web', 'cat', '/app/new/deep/b')).code === 0,
    )
    assert.equal(await inside(stack, '/app/link'), 'run\n')
    assert.equal(await inside(stack, 'stat', '-c', '%u:%g %a', '/app/script'), '1000:1000 755\n')
    assert.equal(await inside(stack, 'readlink', '/app/link'), 'script\n')
    assert.equal(await inside(stack, 'ls', '/app'), 'first\nlink\nnew\nold\nscript\n')

    // an editor's way to write: another file takes the name
    writeFileSync(join(src, '.first.new'), 'second\n')
    renameSync(join(src, '.first.new'), join(src, 'first'))
    renameSync(join(src, 'old'), join(stack.folder, 'elsewhere'))
    rmSync(join(src, 'new'), { recursive: true })
    await watch.says(/^Syncing service "web"/m, { from: at })
    await eventually('all of it', async () => (await inside(stack, 'ls', '-A', '/app')) === 'first\nlink\nscript\n')
    assert.equal(await inside(stack, 'cat', '/app/first'), 'second\n')
    assert.equal(await watch.end(), 130)
    assert.equal((await stack.ps())[0]!.State, 'running')
    await stack.run('down')
  })

  test('brings 1,000 files that change at once in one sync', async () => {
    const stack = engine.stack(`services:
  web:
    ${sleeper}
    develop: {watch: [{path: src, action: sync, target: /app}]}
`)
    const src = join(stack.folder, 'src')
    mkdirSync(src)
    await using watch = stack.begin('watch')
    const at = await watch.says(/^Watch enabled$/m)
    for (let i = 0; i < 1000; i++) writeFileSync(join(src, `f${i}`), `${i}\n`)
    await watch.says(/^Syncing service "web" after 1000 changes were detected$/m, { from: at })
    await eventually('all files', async () => (await inside(stack, 'sh', '-c', 'ls /app | wc -l')).trim() === '1000')
    assert.equal(await inside(stack, 'cat', '/app/f999'), '999\n')
    assert.equal(watch.said.match(/Syncing/g)?.length, 1)
    await watch.end()
    await stack.run('down')
  })

  test('restarts, runs a command and rebuilds, each once a burst', async () => {
    const stack = engine.stack(`services:
  web:
    build: {context: ., dockerfile_inline: "FROM busybox\\nCOPY made /made\\n"}
    command: sleep infinity
    stop_signal: SIGKILL
    develop:
      watch:
        - {path: conf, action: sync+restart, target: /conf}
        - {path: views, action: sync+exec, target: /views, exec: {command: [sh, -c, "echo saw $$(ls /views)"]}}
        - {path: env, action: restart}
        - {path: made, action: rebuild}
`)
    for (const name of ['conf', 'views', 'env']) mkdirSync(join(stack.folder, name))
    writeFileSync(join(stack.folder, 'made'), 'one\n')
    await using watch = stack.begin('watch')
    let at = await watch.says(/^Watch enabled$/m)
    const started = async () => {
      const { stdout } = await engine.docker(['inspect', '-f', '{{.State.StartedAt}}', `${stack.name}-web-1`])
      return stdout
    }
    const first = await started()
    writeFileSync(join(stack.folder, 'conf/x'), 'x\n')
    at = await watch.says(/^service\(s\) \["web"\] restarted$/m, { from: at })
    const second = await started()
    assert.notEqual(second, first)
    assert.equal(await inside(stack, 'cat', '/conf/x'), 'x\n')

    writeFileSync(join(stack.folder, 'views/v'), 'v\n')
    writeFileSync(join(stack.folder, 'views/w'), 'w\n')
    at = await watch.says(/^saw v w$/m, { from: at })
    assert.equal(await started(), second)

    writeFileSync(join(stack.folder, 'env/e'), 'e\n')
    at = await watch.says(/^service\(s\) \["web"\] restarted$/m, { from: at })

    const image = async () => (await engine.docker(['images', '-aq', '--no-trunc'])).stdout.split('\n').filter(Boolean)
    const before = await image()
    writeFileSync(join(stack.folder, 'made'), 'two\n')
    at = await watch.says(/^Rebuilding service\(s\) \["web"\] after changes were detected\.\.\.$/m, { from: at })
    await watch.says(/^service\(s\) \["web"\] successfully built$/m, { from: at })
    assert.equal(await inside(stack, 'cat', '/made'), 'two\n')
    // a container that is made anew has what was synced before
    await eventually('the sync', async () => (await stack.try('exec', '-T', 'web', 'cat', '/conf/x')).code === 0)
    await eventually('the old image to go', async () => (await image()).length === before.length)
    await watch.end()
    await stack.run('down')
  })

  test('--dry-run says what would be done', async () => {
    const stack = engine.stack(`services:
  web:
    ${sleeper}
    develop: {watch: [{path: src, action: sync+restart, target: /app}]}
`)
    mkdirSync(join(stack.folder, 'src'))
    await stack.run('up', '-d')
    await using watch = stack.begin('watch', '--no-up', '--dry-run')
    const at = await watch.says(/^Watch enabled$/m)
    writeFileSync(join(stack.folder, 'src/a'), 'a')
    await watch.says(/^1 changes would be synced to service "web"$/m, { from: at })
    await watch.says(/^service\(s\) \["web"\] would be restarted$/m, { from: at })
    assert.equal((await stack.try('exec', '-T', 'web', 'ls', '/app')).code, 1)
    await watch.end()
    await stack.run('down')
  })

  test('refuses a rule that cannot work, before anything is made', async () => {
    const stack = engine.stack(`services:
  web:
    ${sleeper}
    develop: {watch: [{path: src, action: rebuild}]}
`)
    const said = await stack.try('watch')
    assert.equal(said.code, 1)
    assert.match(said.stderr, /can't watch service "web" with action rebuild without a build context/)
    assert.deepEqual(await stack.ps(), [])
  })
})
