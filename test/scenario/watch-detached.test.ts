/** A stack whose files the keeper follows: no terminal is open. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { keeperEndpoints } from '../../src/api/keeper.ts'
import { createClient } from '../../src/client/client.ts'
import { findKeeper } from '../../src/holding/keeper.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'

const sleeper = 'image: busybox, command: sleep infinity, stop_signal: SIGKILL'

describe('watch --detach', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())
  const withClient = async <T>(work: (client: ReturnType<typeof createClient>) => Promise<T>): Promise<T> => {
    const client = createClient(engine.host)
    try {
      return await work(client)
    } finally {
      client.close()
    }
  }
  const inspect = (id: string) => withClient(client => client.call(endpoints.containerInspect, { params: { id } }))
  const held = async (name: string) => {
    const keeper = await findKeeper({ host: engine.host, env: engine.env })
    try {
      return await keeper?.call(keeperEndpoints.stackInspect, { params: { name } })
    } finally {
      keeper?.close()
    }
  }
  const until = async (what: string, isSo: () => Promise<boolean>) => {
    try {
      await eventually(what, isSo)
    } catch (error) {
      throw new Error(engine.log, { cause: error })
    }
  }
  const recordOf = (name: string) => {
    const state = join(engine.folder, 'state')
    const files = readdirSync(state, { recursive: true, encoding: 'utf8' })
    return join(state, files.find(file => file.endsWith(`/${name}/held.json`))!)
  }
  const settled = (name: string) => until(`${name} is settled`, async () => (await held(name))?.State === 'settled')

  test('follows stack files, env files, configs, images and containers, and keeps the last good state', async () => {
    const yaml = (more = '', services = '') => `
services:
  web: {${sleeper}, env_file: web.env, configs: [page], environment: {TAG: "$TAG"${more}}}
${services}
configs:
  page: {file: page.txt}
`
    const stack = engine.stack(yaml('', `  gone: {${sleeper}}`), 'watched')
    const file = (name: string) => join(stack.folder, name)
    writeFileSync(file('web.env'), 'A=1\n')
    writeFileSync(file('page.txt'), 'one\n')
    const env = { TAG: 'green', UNRELATED: 'not asked for' }
    const up = await engine.tscompose(['up', '--watch', '-d'], { cwd: stack.folder, env })
    assert.equal(up.code, 0, up.stderr)
    assert.match(up.stderr, /The keeper watches the files of watched: "tscompose ls"/)
    await settled('watched')
    const variables = async () => (await inspect('watched-web-1')).Config.Env ?? []
    const has = (variable: string) => async () => (await variables()).includes(variable)
    assert.ok(await has('TAG=green')())

    writeFileSync(file('compose.yaml'), yaml(', NEW: x', `  gone: {${sleeper}}`))
    await until('the stack file', has('NEW=x'))
    assert.ok(await has('TAG=green')(), 'the environment of the terminal')
    writeFileSync(file('web.env'), 'A=2\n')
    await until('the env file', has('A=2'))
    await settled('watched')
    const { Id } = await inspect('watched-web-1')
    writeFileSync(file('page.txt'), 'two\n')
    await until('the config', async () => (await inspect('watched-web-1').catch(() => undefined))?.Id !== Id)
    await until('its text', async () => (await stack.try('exec', '-T', 'web', 'cat', '/page')).stdout === 'two\n')
    await settled('watched')

    writeFileSync(file('compose.yaml'), 'services: {web: {imag: busybox}}\n')
    await until('what is wrong', async () => /imag/.test((await held('watched'))?.Error ?? ''))
    assert.match(await stack.run('ls'), /watched .* failing/)
    assert.ok(await has('NEW=x')())
    writeFileSync(file('compose.yaml'), yaml())
    await until('what has left', async () => (await stack.ps()).every(each => each.Name !== 'watched-gone-1'))
    await settled('watched')
    assert.ok(!(await has('NEW=x')()))

    await withClient(client => client.call(endpoints.containerKill, { params: { id: 'watched-web-1' } }))
    await until('what was killed', async () => (await inspect('watched-web-1')).State.Running)
    await settled('watched')
    const image = (await inspect('watched-web-1')).Image
    await stack.run('commit', '--pause=false', 'web', 'other:1')
    await stack.run('image', 'tag', 'other:1', 'busybox:latest')
    await until('the image', async () => (await inspect('watched-web-1').catch(() => undefined))?.Image !== image)
    await settled('watched')

    const applies = (await stack.run('history', '--format', '{{.Command}} {{.User}}')).trim().split('\n')
    assert.ok(applies.includes('watch keeper') && applies.includes('repair keeper'), applies.join('\n'))
    const record = readFileSync(recordOf('watched'), 'utf8')
    assert.ok(record.includes('green') && !record.includes('not asked for'))
    await stack.run('down')
    await until('its end', async () => (await held('watched').catch(() => undefined)) === undefined)
  })
  test('goes on after SIGKILL with what changed meanwhile, is kept by up, and ends with watch --stop', async () => {
    const yaml = (value: string) => `services: {web: {${sleeper}, environment: {V: "${value}"}}}\n`
    const stack = engine.stack(yaml('1'), 'away')
    await stack.run('watch', '--detach')
    await settled('away')
    const has = (variable: string) => async () =>
      ((await inspect('away-web-1').catch(() => undefined))?.Config.Env ?? []).includes(variable)
    const keeper = await findKeeper({ host: engine.host, env: engine.env })
    const { Pid } = (await keeper?.call(keeperEndpoints.keeperStatus, {}))!
    keeper?.close()
    process.kill(Pid, 'SIGSTOP')
    writeFileSync(join(stack.folder, 'compose.yaml'), yaml('2'))
    process.kill(Pid, 'SIGKILL')
    await until('what changed meanwhile', has('V=2'))
    await settled('away')
    await stack.run('up', '-d')
    writeFileSync(join(stack.folder, 'compose.yaml'), yaml('3'))
    await until('what changed after up', has('V=3'))
    await settled('away')
    await stack.run('watch', '--stop')
    await until('the end of the keeper', async () => (await held('away').catch(() => undefined)) === undefined)
    assert.match((await stack.try('watch', '--stop')).stderr, /Stack "away" is not watched/)
    assert.ok(await has('V=3')())
    await stack.run('down')
  })

  test('follows the sources by develop.watch: sync, restart, exec, rebuild, also into containers that are made anew', async () => {
    const yaml = (tag: string) => `
services:
  web:
    ${sleeper.replaceAll(', ', '\n    ')}
    environment: {TAG: ${tag}}
    develop:
      watch:
        - {path: src, action: sync, target: /app, initial_sync: true, ignore: ["*.tmp"]}
        - {path: conf, action: sync+restart, target: /conf}
        - {path: run, action: sync+exec, target: /run.d, exec: {command: sh -c "echo ran >> /ran"}}
  built:
    build: image
    command: sleep infinity
    stop_signal: SIGKILL
    develop: {watch: [{path: image, action: rebuild}]}
`
    const stack = engine.stack(yaml('one'), 'sources')
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(stack.folder, path)), { recursive: true })
      writeFileSync(join(stack.folder, path), text)
    }
    write('src/first', 'first')
    write('conf/a', 'a')
    write('run/a', 'a')
    write('image/Dockerfile', 'FROM busybox\nCOPY what /what\n')
    write('image/what', 'one')
    await stack.run('up', '--watch', '-d')
    await settled('sources')
    const inside = async (service: string, ...words: readonly string[]) =>
      (await stack.try('exec', '-T', service, ...words)).stdout
    await until('what was there', async () => (await inside('web', 'cat', '/app/first')) === 'first')
    write('src/deep/second', 'second')
    write('src/left.tmp', 'left')
    await until('the sync', async () => (await inside('web', 'cat', '/app/deep/second')) === 'second')
    assert.equal(await inside('web', 'ls', '/app'), 'deep\nfirst\n')
    rmSync(join(stack.folder, 'src/first'))
    await until('its end', async () => (await inside('web', 'ls', '/app')) === 'deep\n')
    const startOf = async () => (await inspect('sources-web-1')).State.StartedAt
    const before = await startOf()
    write('conf/a', 'b')
    await until('the restart', async () => (await startOf()) !== before)
    await until('what led to it', async () => (await inside('web', 'cat', '/conf/a')) === 'b')
    write('run/a', 'b')
    await until('the command', async () => (await inside('web', 'cat', '/ran')) === 'ran\n')
    write('image/what', 'two')
    await until('the rebuild', async () => (await inside('built', 'cat', '/what')) === 'two')
    await settled('sources')

    write('compose.yaml', yaml('two'))
    await until('another container', async () => (await inside('web', 'sh', '-c', 'echo $TAG')) === 'two\n')
    await until('what was synced', async () => (await inside('web', 'cat', '/app/deep/second')) === 'second')
    assert.match(engine.log, /sources: Syncing service "web" after 1 changes were detected/)
    assert.match(engine.log, /sources: service\(s\) \["built"\] successfully built/)
    await stack.run('watch', '--stop')
    write('src/third', 'third')
    assert.doesNotMatch(await inside('web', 'ls', '/app'), /third/)
    await stack.run('down')

    write('compose.yaml', yaml('one').replace('target: /app, ', ''))
    const refused = await stack.try('watch', '--detach')
    assert.match(refused.stderr, /the action "sync" needs it/)
    assert.deepEqual(await stack.ps(), [])
  })

  test('refuses what can be read only once', async () => {
    const input = `services: {web: {${sleeper}}}`
    const said = await engine.tscompose(['-f', '-', '-p', 'piped', 'watch', '--detach'], { input })
    assert.match(said.stderr, /Cannot watch a stack that comes from standard input/)
    assert.equal(said.code, 1)
  })
})
