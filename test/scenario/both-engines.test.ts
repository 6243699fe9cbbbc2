/** One scenario, two engines: ours, and a real Docker Engine where there is one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onBothEngines } from '../support/both-engines.ts'
import { jsonLines } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'

const project = `both${process.pid}`

const yaml = (image: string, colour: string) => `name: ${project}
services:
  web:
    image: ${image}
    command: sh -c 'echo web is here; exec sleep infinity'
    stop_signal: SIGKILL
    environment: {COLOUR: ${colour}}
    volumes: ["data:/data"]
    depends_on: {db: {condition: service_healthy}}
  db:
    image: ${image}
    command: sleep infinity
    stop_signal: SIGKILL
    healthcheck: {test: "true", interval: 1s, start_interval: 100ms, start_period: 5s}
volumes: {data: {}}
`

await onBothEngines('up, ps, logs, exec and down', [project], ground => {
  const run = (...args: readonly string[]) => ground().run('.', ...args)

  test('walk the whole way', async () => {
    const { write, attempt, image } = ground()
    write('compose.yaml', yaml(image, 'blue'))
    await run('up', '-d')
    const containers = jsonLines(await run('ps', '--format', 'json'))
    assert.deepEqual(containers.map(c => [c.Service, c.State]).sort(), [
      ['db', 'running'],
      ['web', 'running'],
    ])
    await eventually('the first words', async () => (await run('logs', 'web')).includes('web is here'))
    assert.equal(await run('exec', '-T', 'web', 'sh', '-c', 'echo $COLOUR'), 'blue\n')
    assert.equal((await attempt('.', 'exec', '-T', 'web', 'sh', '-c', 'exit 5')).code, 5)
    assert.match(await run('plan'), /^no changes/m)
    write('compose.yaml', yaml(image, 'red'))
    assert.match(await run('plan'), /^~ web: recreate {2}environment\.COLOUR blue→red$/m)
    await run('up', '-d')
    assert.equal(await run('exec', '-T', 'web', 'sh', '-c', 'echo $COLOUR'), 'red\n')
    await run('down', '-v', '-y')
    assert.deepEqual(jsonLines(await run('ps', '--all', '--format', 'json')), [])
  })
})
