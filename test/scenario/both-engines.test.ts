/** One scenario, two engines: ours, and a real Docker Engine where there is one. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command, type Said } from '../support/command.ts'
import { jsonLines, launcher, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { dockerEngine, lacking, program, root } from '../support/needs.ts'
import { busyboxImageTar } from '../support/tiny-image.ts'

const docker = await dockerEngine()

/** Named for this run alone: another may use the same Docker Engine. */
const image = `tscompose-both-${process.pid}`
const project = `both${process.pid}`

const yaml = `name: ${project}
services:
  web:
    image: ${image}
    command: sh -c 'echo web is here; exec sleep infinity'
    stop_signal: SIGKILL
    environment: {COLOUR: blue}
    volumes: ["data:/data"]
    depends_on: {db: {condition: service_healthy}}
  db:
    image: ${image}
    command: sleep infinity
    stop_signal: SIGKILL
    healthcheck: {test: "true", interval: 1s, start_interval: 100ms, start_period: 5s}
volumes: {data: {}}
`

for (const [name, host] of [
  ['ours', undefined],
  ['Docker', docker],
] as const) {
  const skip =
    name === 'Docker' && !docker
      ? 'no Docker Engine here: set TSCOMPOSE_TEST_DOCKER to the socket of one'
      : lacking(root(), program('busybox'), program('nft'))
  describe(`up, ps, logs, exec and down against ${name}`, { skip }, () => {
    let engine: TestEngine | undefined
    const folder = mkdtempSync(join(tmpdir(), 'tsc-both-'))
    before(async () => {
      engine = host ? undefined : await TestEngine.start([])
      mkdirSync(join(folder, 'stack'))
      writeFileSync(join(folder, 'stack', 'compose.yaml'), yaml)
      writeFileSync(join(folder, 'image.tar'), await busyboxImageTar(`${image}:latest`))
      await run('image', 'load', '-i', join(folder, 'image.tar'))
    })
    after(async () => {
      await tscompose('down', '-v', '-y')
      await tscompose('image', 'rm', image)
      rmSync(folder, { recursive: true, force: true })
      await engine?.stop()
    })

    const tscompose = (...args: readonly string[]): Promise<Said> =>
      command(launcher, args, {
        cwd: existsSync(join(folder, 'stack')) ? join(folder, 'stack') : folder,
        env: {
          ...engine?.env,
          DOCKER_HOST: host ?? engine!.host,
          NO_COLOR: '1',
          TSCOMPOSE_STATE: join(folder, 'state'),
        },
      })
    const run = async (...args: readonly string[]): Promise<string> => {
      const said = await tscompose(...args)
      assert.equal(said.code, 0, `${args.join(' ')}\n${said.stdout}${said.stderr}`)
      return said.stdout
    }

    test('walks the whole way', async () => {
      await run('up', '-d')
      const containers = jsonLines(await run('ps', '--format', 'json'))
      assert.deepEqual(containers.map(c => [c.Service, c.State]).sort(), [
        ['db', 'running'],
        ['web', 'running'],
      ])
      await eventually('the first words', async () => (await run('logs', 'web')).includes('web is here'))
      assert.equal(await run('exec', '-T', 'web', 'sh', '-c', 'echo $COLOUR'), 'blue\n')
      assert.equal((await tscompose('exec', '-T', 'web', 'sh', '-c', 'exit 5')).code, 5)
      assert.match(await run('plan'), /^no changes/m)
      writeFileSync(join(folder, 'stack', 'compose.yaml'), yaml.replace('blue', 'red'))
      assert.match(await run('plan'), /^~ web: recreate {2}environment\.COLOUR blue→red$/m)
      await run('up', '-d')
      assert.equal(await run('exec', '-T', 'web', 'sh', '-c', 'echo $COLOUR'), 'red\n')
      await run('down', '-v', '-y')
      assert.deepEqual(jsonLines(await run('ps', '--all', '--format', 'json')), [])
    })
  })
}
