/** Rolling updates by `deploy.update_config`, on ours and on a real Docker Engine where there is one. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { onBothEngines } from '../support/both-engines.ts'
import { jsonLines } from '../support/engine.ts'

const project = `update${process.pid}`
const [one, two] = [`${project}-web-1`, `${project}-web-2`] as const

/** Healthy once it is there, unless TAG is "ill"; it ends at once with TAG "dead". */
const stack = (image: string, tag: string, update: string, more = ''): string => `name: ${project}
services:
  web:
    image: ${image}
    command: sh -c 'echo version $$TAG; trap "exit 0" TERM; [ $$TAG != dead ] || exit 3; sleep infinity & wait'
    environment: {TAG: ${tag}}
    scale: 2
    healthcheck: {test: 'test $$TAG != ill', interval: 100ms, retries: 3}
    deploy: {update_config: {${update}}${more}}
`

await onBothEngines('an update', [project], ground => {
  const yaml = (tag: string, update: string, more = '') => stack(ground().image, tag, update, more)
  const write = (text: string) => ground().write('compose.yaml', text)
  const run = (...args: readonly string[]) => ground().run('.', ...args)
  const tscompose = (...args: readonly string[]) => ground().attempt('.', ...args)
  /** Name → id of every container, state behind it. */
  const containers = async () => {
    const list = jsonLines(await run('ps', '-a', '--format', 'json'))
    return Object.fromEntries(list.map(({ Name, ID, State }) => [Name as string, `${ID} ${State}`]))
  }
  let old: Awaited<ReturnType<typeof containers>>
  beforeEach(async () => {
    write(yaml('a', ''))
    await run('up', '-d')
    old = await containers()
  })

  for (const order of ['start-first', 'stop-first'])
    test(`${order} replaces one after the other, and the next up finds nothing to do`, async () => {
      write(yaml('b', `order: ${order}, delay: 100ms, monitor: 200ms`))
      const pace = `one by one, 100ms apart: ${one}, ${two}; ${order}; each watched for 200ms`
      assert.ok((await run('plan')).includes(`\n    ${pace}\n    when one fails: the update pauses\n`))
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
    const half = yaml('half', 'order: start-first, failure_action: rollback', ', rollback_config: {order: stop-first}')
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
