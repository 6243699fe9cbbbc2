/** Rolling updates by `deploy.update_config`, on ours and on a real Docker Engine where there is one. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { command, type Said } from '../support/command.ts'
import { jsonLines, launcher, TestEngine } from '../support/engine.ts'
import { dockerEngine, lacking, program, root } from '../support/needs.ts'
import { busyboxImageTar } from '../support/tiny-image.ts'

const docker = await dockerEngine()
/** Named for this run alone: another may use the same Docker Engine. */
const image = `tscompose-update-${process.pid}`

/** Healthy once it is there, unless TAG is "ill"; it ends at once with TAG "dead". */
const yaml = (tag: string, update: string, more = ''): string => `name: update${process.pid}
services:
  web:
    image: ${image}
    command: sh -c 'echo version $$TAG; trap "exit 0" TERM; [ $$TAG != dead ] || exit 3; sleep infinity & wait'
    environment: {TAG: ${tag}}
    scale: 2
    healthcheck: {test: 'test $$TAG != ill', interval: 100ms, retries: 3}
    deploy: {update_config: {${update}}${more}}
`

for (const [name, host] of [
  ['ours', undefined],
  ['Docker', docker],
] as const) {
  const skip =
    name === 'Docker' && !docker
      ? 'no Docker Engine here: set TSCOMPOSE_TEST_DOCKER to the socket of one'
      : lacking(root(), program('busybox'), program('nft'))
  describe(`an update against ${name}`, { skip, timeout: 240_000 }, () => {
    let engine: TestEngine | undefined
    const folder = mkdtempSync(join(tmpdir(), 'tsc-update-'))
    before(async () => {
      engine = host ? undefined : await TestEngine.start([])
      mkdirSync(join(folder, 'stack'))
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
        cwd: join(folder, 'stack'),
        env: { ...engine?.env, DOCKER_HOST: host ?? engine!.host, NO_COLOR: '1' },
      })
    const run = async (...args: readonly string[]): Promise<string> => {
      const said = await tscompose(...args)
      assert.equal(said.code, 0, `${args.join(' ')}\n${said.stdout}${said.stderr}`)
      return said.stdout
    }
    const write = (text: string) => writeFileSync(join(folder, 'stack', 'compose.yaml'), text)
    /** Name → id of every container, state behind it. */
    const containers = async () => {
      const list = jsonLines(await run('ps', '-a', '--format', 'json'))
      return Object.fromEntries(list.map(({ Name, ID, State }) => [Name as string, `${ID} ${State}`]))
    }
    const [one, two] = [`update${process.pid}-web-1`, `update${process.pid}-web-2`]
    let old: Awaited<ReturnType<typeof containers>>
    beforeEach(async () => {
      write(yaml('a', ''))
      await run('up', '-d')
      old = await containers()
    })

    for (const order of ['start-first', 'stop-first'])
      test(`${order} replaces one after the other, and the next up finds nothing to do`, async () => {
        write(yaml('b', `order: ${order}, delay: 100ms, monitor: 200ms`))
        await run('up', '-d')
        const now = await containers()
        assert.deepEqual(Object.keys(now).sort(), [one, two])
        for (const name of [one, two]) {
          assert.match(now[name]!, / running$/)
          assert.notEqual(now[name], old[name])
        }
        assert.equal(await run('exec', '-T', 'web', 'sh', '-c', 'echo $TAG'), 'b\n')
        assert.match(await run('plan'), /no changes/)
      })

    for (const order of ['start-first', 'stop-first'])
      for (const tag of ['ill', 'dead'])
        test(`${order} goes back to the very containers before when the new version is ${tag}`, async () => {
          write(yaml(tag, `order: ${order}, failure_action: rollback`))
          const { code, stderr } = await tscompose('up', '-d')
          assert.equal(code, 1)
          assert.match(
            stderr,
            /Cannot update "web": container .*-web-1 (is unhealthy|exited \(3\)).*; it goes back to what it was/,
          )
          assert.match(stderr, new RegExp(`Last output of .*-web-1:\\n  version ${tag}\\n`))
          assert.deepEqual(await containers(), old)
        })

    test('goes back from a batch that failed after others, by rollback_config', async () => {
      // the second one finds that the first was there before
      const check = 'test $$TAG != half || test -e /mine || { mkdir /data/taken && touch /mine; }'
      const half = yaml(
        'half',
        'order: start-first, failure_action: rollback',
        ', rollback_config: {order: stop-first}',
      )
      write(`${half.replace('test $$TAG != ill', () => check)}    volumes: ["data:/data"]\nvolumes: {data: {}}\n`)
      const { code, stderr } = await tscompose('up', '-d')
      assert.equal(code, 1)
      assert.match(stderr, /Cannot update "web": container .*-web-2 is unhealthy.*; it goes back to what it was/)
      assert.deepEqual(await containers(), old)
    })

    test('is paused where nothing else is said: what is updated stays, the rest is as it was', async () => {
      write(yaml('ill', ''))
      const { code, stderr } = await tscompose('up', '-d')
      assert.equal(code, 1)
      assert.match(stderr, /the update is paused/)
      assert.equal((await containers())[two], old[two])
      write(yaml('b', ''))
      await run('up', '-d')
      const now = await containers()
      assert.deepEqual(Object.keys(now).sort(), [one, two])
      assert.match(await run('plan'), /no changes/)
    })

    test('continue goes on, and says what is not well', async () => {
      write(yaml('ill', 'failure_action: continue'))
      const { code, stderr } = await tscompose('up', '-d')
      assert.equal(code, 0, stderr)
      assert.match(stderr, /-web-1 is unhealthy.*; the update of "web" goes on/)
      assert.match(stderr, /-web-2 is unhealthy.*; the update of "web" goes on/)
      const now = await containers()
      assert.deepEqual(Object.keys(now).sort(), [one, two])
      for (const name of [one, two]) assert.notEqual(now[name], old[name])
    })

    test('tolerates as many failures as max_failure_ratio says', async () => {
      write(yaml('ill', 'failure_action: rollback, max_failure_ratio: 0.5'))
      const { code, stderr } = await tscompose('up', '-d')
      assert.equal(code, 1)
      assert.match(stderr, /-web-1 is unhealthy.*; the update of "web" goes on/)
      assert.match(stderr, /Cannot update "web": container .*-web-2 is unhealthy/)
      assert.deepEqual(await containers(), old)
    })
  })
}
