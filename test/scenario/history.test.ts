/** What was applied is kept, and can be gone back to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onBothEngines } from '../support/both-engines.ts'
import { jsonLines } from '../support/engine.ts'

const project = `history${process.pid}`

await onBothEngines('history and rollback', [project], ground => {
  const stack = (tag: string, more = '') => `name: ${project}
services:
  web:
    image: ${ground().image}
    command: sleep infinity
    stop_signal: SIGKILL
    environment: {TAG: ${tag}}
${more}`
  const history = async () =>
    JSON.parse(await ground().run('stack', 'history', '--json')) as {
      Number: number
      Command: string
      Outcome: string
      What: string
    }[]
  const tag = async () => /^TAG=(.*)$/m.exec(await ground().run('stack', 'exec', '-T', 'web', 'env'))?.[1]

  test('each apply that changes something is kept, with its cause', async () => {
    const { write, run } = ground()
    write('stack/compose.yaml', stack('one'))
    await run('stack', 'up', '-d')
    await run('stack', 'up', '-d')
    write(
      'stack/compose.yaml',
      stack('two', `  extra: {image: ${ground().image}, command: sleep infinity, stop_signal: SIGKILL}\n`),
    )
    await run('stack', 'up', '-d')
    const kept = await history()
    assert.deepEqual(
      kept.map(each => [each.Number, each.Command, each.Outcome]),
      [
        [2, 'up', 'done'],
        [1, 'up', 'done'],
      ],
    )
    assert.match(kept[0]!.What, /web: .*environment\.TAG/)
    assert.match(await run('stack', 'history', 'show', '2'), /\+ extra: create/)
  })

  test('rollback brings back what was, takes away what was not, and is an apply itself', async () => {
    const { attempt, run } = ground()
    assert.equal(await tag(), 'two')
    const back = await attempt('stack', 'rollback')
    assert.equal(back.code, 0, back.stderr)
    assert.match(back.stderr, /Going back to 1/)
    assert.equal(await tag(), 'one')
    const services = jsonLines(await run('stack', 'ps', '-a', '--format', 'json')).map(each => each.Service)
    assert.deepEqual(services, ['web'])
    assert.deepEqual(
      (await history()).map(each => [each.Number, each.Command, each.Outcome]),
      [
        [3, 'rollback 1', 'done'],
        [2, 'up', 'done'],
        [1, 'up', 'done'],
      ],
    )
    // the files have not changed, and are followed again
    await run('stack', 'up', '-d')
    assert.equal(await tag(), 'two')
  })

  test('rollback undoes a down', async () => {
    const { run } = ground()
    await run('stack', 'down')
    assert.equal((await history())[0]!.Command, 'down')
    await run('stack', 'rollback')
    assert.equal(await tag(), 'two')
  })

  test('an apply that failed says so, and rollback leads past it', async () => {
    const { attempt, run, write } = ground()
    write('stack/compose.yaml', stack('three', `    entrypoint: [/no/such/program]\n`))
    assert.notEqual((await attempt('stack', 'up', '-d')).code, 0)
    const [last] = await history()
    assert.equal(last!.Outcome, 'failed')
    await run('stack', 'rollback')
    assert.equal(await tag(), 'two')
  })

  test('rollback takes an image that has been tagged anew as it was', async () => {
    const { run, image, write, attempt } = ground()
    const other = `${image}-other`
    await run('stack', 'image', 'tag', image, other)
    write('stack/compose.yaml', stack('four').replace(`image: ${image}`, `image: ${other}`))
    await run('stack', 'up', '-d', '--remove-orphans')
    const ids = async () => jsonLines(await run('stack', 'images', '--format', 'jsonl')).map(each => each.ID)
    const before = await ids()
    // another image under the same name
    await run('stack', 'commit', 'web', other)
    await run('stack', 'up', '-d')
    assert.notDeepEqual(await ids(), before)
    await run('stack', 'rollback')
    assert.deepEqual(await ids(), before)
    await run('stack', 'down')
    await attempt('stack', 'image', 'rm', other)
  })
})
