/** When an `up` that stays attached ends, as with Docker Compose: on ours and on a real Docker Engine where there is one. */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { onBothEngines } from '../support/both-engines.ts'

const project = `attached${process.pid}`

await onBothEngines('an attached up', [project], ground => {
  const write = (services: string) => ground().write('compose.yaml', `name: ${project}\nservices:\n${services}`)
  const service = (name: string, text: string) => `  ${name}: {image: ${ground().image}, network_mode: none, ${text}}\n`
  afterEach(() => ground().attempt('.', 'down', '-v', '-t', '0'))

  test('ends with what was named, also where its dependencies are shown; these go on', async () => {
    write(
      service('job', `command: sh -c 'sleep 0.3; echo done', depends_on: [db]`) +
        service('db', `command: sh -c 'echo ready; exec sleep 99', stop_signal: KILL`),
    )
    const { code, stdout } = await ground().attempt('.', 'up', '--attach-dependencies', 'job')
    assert.equal(code, 0)
    assert.match(stdout, /^db-1 +\| ready$/m)
    assert.match(stdout, /^job-1 +\| done\n/m)
    assert.match(stdout, /^job-1 exited with code 0$/m)
    assert.equal(await ground().run('.', 'ps', '--format', '{{.Service}} {{.State}}'), 'db running\n')
  })
})
