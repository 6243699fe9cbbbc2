/** Init containers by `pre_start`: before the first container of a service, and before each. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { containerEndpoints } from '../../src/api/containers.ts'
import { createClient } from '../../src/client/client.ts'
import { type Ground, onBothEngines } from '../support/both-engines.ts'
import { jsonLines, launcher } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'

const project = `init${process.pid}`

await onBothEngines('init containers', [project], ground => {
  const lines = async (service: string, file: string, index = 1) =>
    (await ground().run('.', 'exec', '-T', '--index', String(index), service, 'cat', file)).trim().split('\n')
  const states = async () =>
    Object.fromEntries(
      jsonLines(await ground().run('.', 'ps', '-a', '--format', 'json')).map(each => [each['Name'], each['State']]),
    )

  test('run in their order, with the volumes, variables and networks of what they are for, and are gone', async () => {
    const { write, run, image } = ground()
    write('compose.yaml', stack(image, { scale: 2 }))
    await run('.', 'up', '-d', '-t', '0')
    assert.deepEqual(await lines('web', '/shared/log'), ['once blue 1000 /tmp web.txt words', 'of each', 'of each'])
    // an anonymous volume is its replica's own
    for (const index of [1, 2]) assert.deepEqual(await lines('web', '/own/log', index), ['of each'])
    assert.deepEqual(await states(), { [`${project}-web-1`]: 'running', [`${project}-web-2`]: 'running' })
    assert.equal((await run('.', 'up', '-d')).includes('pre_start'), false)
    assert.match(
      await run('.', 'plan', '--scale', 'web=3'),
      /^~ web: run {2}pre_start\[2\], before each of web starts$/m,
    )
    await run('.', 'up', '-d', '--scale', 'web=3')
    assert.deepEqual(await lines('web', '/shared/log'), [
      'once blue 1000 /tmp web.txt words',
      ...Array(3).fill('of each'),
    ])
    await run('.', 'stop', '-t', '0')
    await run('.', 'start')
    assert.equal((await lines('web', '/shared/log')).filter(line => line.startsWith('once')).length, 2)
  })

  test('that fail keep their service and what needs it from starting, with what they said last', async () => {
    const { write, run, attempt, image } = ground()
    write('compose.yaml', stack(image, { fails: true }))
    const said = await attempt('.', 'up', '-d', '-t', '0')
    assert.equal(said.code, 1)
    assert.match(
      said.stderr,
      new RegExp(`Init container ${project}-web-pre_start-1 exited with status 3: no such table`),
    )
    assert.deepEqual(await states(), { [`${project}-web-1`]: 'created', [`${project}-user-1`]: 'created' })
    write('compose.yaml', stack(image, {}))
    await run('.', 'up', '-d', '-t', '0')
    assert.deepEqual(await states(), { [`${project}-web-1`]: 'running', [`${project}-user-1`]: 'running' })
    await run('.', 'down', '-v', '-y', '-t', '0')
  })

  test('whose up was killed are no hindrance to the next up, nor to down', async () => {
    const { write, run, image } = ground()
    write('compose.yaml', stack(image, { hangs: true }))
    for (const next of [
      ['down', '-v', '-y', '-t', '0'],
      ['up', '-d', '-t', '0'],
    ]) {
      await killedInInit(ground())
      assert.equal((await inits(ground().host)).length, 1)
      if (next[0] === 'up') write('compose.yaml', stack(image, {}))
      await run('.', ...next)
    }
    assert.deepEqual(await states(), { [`${project}-web-1`]: 'running', [`${project}-user-1`]: 'running' })
    await run('.', 'down', '-v', '-y', '-t', '0')
  })

  test('end with the up that is interrupted', async () => {
    const { write, run, image } = ground()
    write('compose.yaml', stack(image, { hangs: true }))
    await killedInInit(ground(), 'SIGINT')
    assert.deepEqual(await inits(ground().host), [])
    await run('.', 'down', '-v', '-y', '-t', '0')
  })
})

/** An up that is ended while the init container runs. */
async function killedInInit({ folder, env, host }: Ground, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const up = spawn(launcher, ['up', '-d', '-t', '0'], { cwd: folder, env: { ...process.env, ...env }, stdio: 'ignore' })
  const ended = once(up, 'exit')
  await eventually('the init container runs', async () => (await inits(host)).length === 1)
  up.kill(signal)
  await ended
}

/** Names of init containers that run or wait to be removed. */
async function inits(host: string): Promise<readonly string[]> {
  const client = createClient(host)
  try {
    const label = [`com.docker.compose.project=${project}`, 'com.docker.compose.hook=pre_start']
    const found = await client.call(containerEndpoints.containerList, { query: { all: true, filters: { label } } })
    return found.filter(({ Names }) => Names[0]!.endsWith('-pre_start-1')).map(({ Names }) => Names[0]!)
  } finally {
    client.close()
  }
}

interface Wish {
  readonly scale?: number
  readonly fails?: boolean
  readonly hangs?: boolean
}

function stack(image: string, { scale = 1, fails = false, hangs = false }: Wish): string {
  const said = 'once $$COLOUR $$(id -u) $$(pwd) $$FILE $$(cat /text)'
  const then = hangs ? 'exec sleep 600' : fails ? 'echo no such table; exit 3' : 'true'
  const waits = 'command: sleep infinity, stop_signal: SIGKILL'
  const user = scale > 1 ? '' : `  user: {image: ${image}, ${waits}, depends_on: [web]}\n`
  return `name: ${project}
services:
  web:
    image: ${image}
    entrypoint: [sleep]
    command: infinity
    stop_signal: SIGKILL
    scale: ${scale}
    working_dir: /tmp
    user: "1000"
    environment: {COLOUR: red, FILE: web.txt}
    configs: [{source: text, target: /text}]
    volumes: ["shared:/shared", /own]
    pre_start:
      - {command: chmod 777 /shared, user: root}
      - command: ["sh", "-c", "echo ${said} >>/shared/log; ${then}"]
        environment: {COLOUR: blue}
      - command: ["sh", "-c", "echo of each | tee -a /own/log >>/shared/log"]
        user: root
        per_replica: true
${user}configs: {text: {content: words}}
volumes: {shared: {}}
`
}
