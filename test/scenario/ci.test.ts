/** What a CI sees of stacks that do not come up, and of tests that fail, on ours and on a real Docker Engine where there is one. */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { onBothEngines } from '../support/both-engines.ts'

const project = `ci${process.pid}`

await onBothEngines('a CI', [project], ground => {
  const write = (services: string) => ground().write('compose.yaml', `name: ${project}\nservices:\n${services}`)
  const service = (name: string, text: string) => `  ${name}: {image: ${ground().image}, network_mode: none, ${text}}\n`
  afterEach(() => ground().attempt('.', 'down', '-v', '-t', '0'))

  test('up --wait that takes too long gives a reason for every service, then the error', async () => {
    write(
      service(
        'db',
        `command: sh -c 'echo opening; sleep 99', healthcheck: {test: 'echo refused; false', interval: 100ms, retries: 900}, stop_grace_period: 0s`,
      ) +
        service('queue', `command: sleep 99, healthcheck: {test: 'true', interval: 1h}, stop_grace_period: 0s`) +
        service('web', `command: sleep 99, depends_on: {db: {condition: service_healthy}}`),
    )
    const { code, stderr } = await ground().attempt(
      '.',
      '--annotations',
      'github',
      'up',
      '--wait',
      '--wait-timeout',
      '5',
    )
    assert.equal(code, 1)
    assert.match(
      stderr,
      new RegExp(`^::group::Last output of ${project}-db-1:\n::stop-commands::.*\n {2}opening\n`, 'm'),
    )
    const table = stderr.slice(stderr.indexOf('Not ready:'))
    assert.match(
      table,
      /^ {2}db +\S+-db-1 +waited [5-9] s to be healthy: starting, \d+ checks failed in a row; the last ended with 1: refused$/m,
    )
    assert.match(table, /^ {2}queue +\S+-queue-1 +waited [5-9] s to be ready: starting, no check has ended yet$/m)
    assert.match(table, /^ {2}web +- +not started: it waits for db$/m)
    assert.match(
      table,
      /^::error file=compose.yaml,line=3,col=3,title=db is not ready::\S+-db-1 waited [5-9] s to be healthy/m,
    )
    assert.match(
      table,
      /\nerror compose\.yaml:(\d+):3 services\.(db|queue)\n {2}(container \S+-(?:db-1 is not healthy|queue-1 is not ready) after 5 s)\n.*\n.*\n::error file=compose\.yaml,line=\1,col=3,title=services\.\2::\3\n$/,
    )
  })

  test('up --abort-on-container-failure ends with the code, the last lines and the error of what failed', async () => {
    write(
      service('test', `command: sh -c 'echo checking; sleep 0.5; echo "2 of 3 failed" >&2; exit 3'`) +
        service('web', `command: sh -c 'trap "echo bye; exit 0" TERM; sleep 99 & wait'`) +
        service('done', 'command: "true"'),
    )
    const { code, stderr, stdout } = await ground().attempt('.', 'up', '--abort-on-container-failure')
    assert.equal(code, 3)
    assert.match(stdout, /^web-1 +\| bye$/m)
    assert.match(
      stderr,
      /Aborting on container exit\.\.\.\n[\s\S]*Last output of \S+-test-1:\n {2}checking\n {2}2 of 3 failed\nerror container \S+-test-1 exited with code 3\n$/,
    )
  })

  test('up --abort-on-container-failure goes on when what ends has not failed', async () => {
    write(service('one', 'command: "true"') + service('two', `command: sh -c 'sleep 1; echo after'`))
    const { code, stdout, stderr } = await ground().attempt('.', 'up', '--abort-on-container-failure')
    assert.equal(code, 0)
    assert.match(stdout, /^two-1 +\| after$/m)
    assert.doesNotMatch(stderr, /Aborting|error/)
  })
})
