/**
 * A stack on a real swarm: an engine that is its manager, named by TSCOMPOSE_TEST_SWARM, which has busybox:latest. It needs no IPVS: names
 * resolve to all tasks, and no port is published.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { networkEndpoints } from '../../src/api/networks.ts'
import { type SwarmTask, swarmObjects } from '../../src/api/swarm-objects.ts'
import { createClient } from '../../src/client/client.ts'
import { stackFilter } from '../../src/targets/swarm/labels.ts'
import { tscompose } from '../cli/fake-client.ts'
import { eventually } from '../support/eventually.ts'

const host = process.env.TSCOMPOSE_TEST_SWARM
const project = `swarm${process.pid}`
const skip = host === undefined && 'needs TSCOMPOSE_TEST_SWARM, a manager of a swarm'

const stack = `name: ${project}
x-target: swarm
services:
  db:
    image: busybox:latest
    command: sh -c 'echo db is up; exec sleep 1000'
    stop_signal: SIGKILL
    secrets: [token]
    healthcheck: {test: test -s /run/secrets/token, interval: 1s, start_period: 5s, start_interval: 200ms}
    deploy: {endpoint_mode: dnsrr, update_config: {order: start-first, monitor: 200ms, failure_action: rollback}}
  web:
    image: busybox:latest
    command: sh -c 'cat /page; exec sleep 1000'
    stop_signal: SIGKILL
    depends_on: {db: {condition: service_healthy}}
    configs: [{source: page, target: /page}]
    deploy: {endpoint_mode: dnsrr, replicas: 2, update_config: {order: start-first, monitor: 200ms}}
secrets: {token: {environment: TOKEN}}
configs: {page: {content: "first page\\n"}}
`

describe('a stack on a swarm', { skip }, () => {
  const client = createClient(host ?? 'unix:///dev/null')
  const cwd = mkdtempSync(join(tmpdir(), 'tscompose-swarm-'))
  const filters = stackFilter(project)
  const run = async (...argv: readonly string[]) => {
    const env = { TOKEN: 's3cr3t', HOME: cwd }
    const { code, stdout, stderr } = await tscompose(argv, { client, env, cwd })
    return { code, stdout, stderr, all: `${stdout}${stderr}` }
  }
  const write = (text: string) => writeFileSync(join(cwd, 'compose.yaml'), text)
  const up = async (text: string, ...more: readonly string[]) => {
    write(text)
    const done = await run('up', '-d', ...more)
    assert.equal(done.code, 0, done.all)
    return done
  }
  /** What an apply that writes would change. */
  const versions = async () =>
    (await client.call(swarmObjects.serviceList, { query: { filters } })).map(({ Spec, Version }) => [
      Spec.Name,
      Version.Index,
    ])
  const running = async (service: string): Promise<readonly SwarmTask[]> => {
    const services = await client.call(swarmObjects.serviceList, { query: { filters } })
    const id = services.find(({ Spec }) => Spec.Name === `${project}_${service}`)?.ID
    const tasks = await client.call(swarmObjects.taskList, { query: { filters } })
    return tasks.filter(
      each => each.ServiceID === id && each.DesiredState === 'running' && each.Status.State === 'running',
    )
  }
  after(async () => {
    await run('down')
    client.close()
    rmSync(cwd, { recursive: true })
  })

  test('comes up in order, and a second up writes nothing', async () => {
    await up(stack)
    const [db] = await running('db')
    const web = await running('web')
    assert.equal(web.length, 2)
    for (const task of web) assert.ok(task.CreatedAt > db!.Status.Timestamp, 'web came before db was healthy')
    const before = await versions()
    const second = await up(stack)
    assert.match(second.stderr, /no changes/)
    assert.deepEqual(await versions(), before)
    assert.ok(!second.all.includes('s3cr3t'))
    for (const line of [/db-1 +\| db is up/, /web-2 +\| first page/])
      await eventually(`${line}`, async () => line.test((await run('logs')).stdout))
    assert.equal((await run('ps', '--format', 'json')).stdout.trim().split('\n').length, 3)
  })

  test('is scaled without new tasks', async () => {
    const before = (await running('web')).map(({ ID }) => ID).sort()
    await up(stack, '--scale', 'web=3')
    const now = (await running('web')).map(({ ID }) => ID)
    assert.equal(now.length, 3)
    assert.deepEqual(now.filter(id => before.includes(id)).sort(), before)
    await up(stack)
    assert.equal((await running('web')).length, 2)
  })

  test('is updated, the new before the old, and what nothing uses is removed', async () => {
    const done = await up(stack.replace('first page', 'second page'))
    assert.match(done.stderr, /Config \S+ {2}Removed/)
    const configs = await client.call(swarmObjects.configList, { query: { filters } })
    assert.equal(configs.length, 1)
    const tasks = await client.call(swarmObjects.taskList, { query: { filters } })
    for (const fresh of await running('web')) {
      const old = tasks.find(
        each => each.Slot === fresh.Slot && each.ServiceID === fresh.ServiceID && each.ID !== fresh.ID,
      )
      assert.ok(fresh.CreatedAt < old!.Status.Timestamp, 'the old had ended before the new was made')
    }
  })

  test('goes back when an update fails, and says why', async () => {
    const before = (await running('db')).map(({ ID }) => ID)
    write(stack.replace('second', 'first').replace('exec sleep 1000', 'exit 3'))
    const { code, stderr } = await run('up', '-d', 'db')
    assert.notEqual(code, 0)
    assert.match(stderr, /could not be updated, and went back to what it was: .*non-zero exit \(3\)/)
    assert.deepEqual(
      (await running('db')).map(({ ID }) => ID),
      before,
    )
  })

  test('goes away whole', async () => {
    write(stack)
    const { code, all } = await run('down')
    assert.equal(code, 0, all)
    assert.deepEqual(await versions(), [])
    for (const list of [swarmObjects.secretList, swarmObjects.configList])
      assert.deepEqual(await client.call(list, { query: { filters } }), [])
    assert.deepEqual(await client.call(networkEndpoints.networkList, { query: { filters } }), [])
  })
})
