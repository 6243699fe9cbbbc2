/** What the keeper does that nobody asks for: what is unhealthy, jobs, the start of the machine. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { keeperEndpoints } from '../../src/api/keeper.ts'
import { createClient } from '../../src/client/client.ts'
import { findKeeper } from '../../src/holding/keeper.ts'
import { launcher, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { ownEngine } from '../support/other-engine.ts'
import { patience } from '../support/patience.ts'

const sleeper = 'image: busybox, command: sleep infinity, stop_signal: SIGKILL'

describe('the keeper', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())
  const inspect = async (name: string) => {
    const client = createClient(engine.host)
    try {
      return await client.call(endpoints.containerInspect, { params: { id: name } })
    } finally {
      client.close()
    }
  }
  const startOf = async (name: string) => Date.parse((await inspect(name)).State.StartedAt)
  const until = async (what: string, isSo: () => Promise<boolean> | boolean) => {
    try {
      await eventually(what, isSo)
    } catch (error) {
      throw new Error(engine.log, { cause: error })
    }
  }
  const settled = (name: string) =>
    until(`${name} is settled`, async () => {
      const keeper = await findKeeper({ host: engine.host, env: engine.env })
      try {
        return (await keeper?.call(keeperEndpoints.stackInspect, { params: { name } }))?.State === 'settled'
      } finally {
        keeper?.close()
      }
    })

  test('restarts or stops what is unhealthy, says so in ps, and restarts what follows it', async () => {
    const check = 'healthcheck: {test: "test ! -e /ill", interval: 100ms, retries: 1}'
    const stack = engine.stack(
      `
services:
  ill: {image: busybox, command: "sh -c 'rm -f /ill; exec sleep infinity'", stop_signal: SIGKILL, ${check}, x-on-unhealthy: restart}
  user: {${sleeper}, depends_on: {ill: {condition: service_healthy, restart: true}}}
  gone: {${sleeper}, ${check}, x-on-unhealthy: stop, restart: always}
`,
      'health',
    )
    await stack.run('up', '-d')
    await settled('health')
    const before = { ill: await startOf('health-ill-1'), user: await startOf('health-user-1') }
    await stack.run('exec', '-T', 'ill', 'touch', '/ill')
    await until('a restart', async () => (await startOf('health-ill-1')) > before.ill)
    await until('what follows it', async () => (await startOf('health-user-1')) > (await startOf('health-ill-1')))
    await stack.run('exec', '-T', 'gone', 'touch', '/ill')
    await until('a stop', async () => (await inspect('health-gone-1')).State.Status === 'exited')
    await settled('health')
    const ps = await stack.run('ps', '-a')
    assert.match(ps, /health-ill-1 .*restarted once because it was unhealthy/)
    assert.match(ps, /health-gone-1 .*Exited .*, stopped because it was unhealthy/)
    assert.match(engine.log, /health: .*health-ill-1 .*restart-container .*it is unhealthy/)
    // each look of the keeper's own is something that it does
    await eventually('a settled stack', async () => /^health .* settled$/m.test(await stack.run('ls')))
    await stack.run('down')
  })

  test('has what crashes wait while what it needs is not as it should be, and says so in ps', async () => {
    const stack = engine.stack(
      `
services:
  db: {${sleeper}, healthcheck: {test: "test ! -e /ill", interval: 100ms, retries: 1}}
  api: &crashes
    image: busybox
    command: "sh -c 'while [ ! -e /crash ]; do sleep 0.1; done; rm /crash; exit 3'"
    restart: always
    stop_signal: SIGKILL
    depends_on: {db: {condition: service_healthy}}
  web: {<<: *crashes, depends_on: {api: {condition: service_started}}}
  loose: {<<: *crashes, depends_on: {db: {condition: service_healthy, required: false}}}
`,
      'waits',
    )
    await stack.run('up', '-d')
    await settled('waits')
    const states = async () =>
      Object.fromEntries((await stack.ps()).map(({ Service, State, Note = '' }) => [Service, `${State} ${Note}`]))
    const crash = (...services: readonly string[]) =>
      Promise.all(services.map(each => stack.run('exec', '-T', each, 'touch', '/crash')))
    await stack.run('exec', '-T', 'db', 'touch', '/ill')
    await until('the illness', async () => (await inspect('waits-db-1')).State.Health?.Status === 'unhealthy')
    await crash('api', 'loose')
    await until('its wait', async () =>
      /^exited .*waits for db, which is unhealthy/.test((await states())['api'] ?? ''),
    )
    await crash('web')
    await until('another', async () =>
      /^exited .*waits for api, which does not run/.test((await states())['web'] ?? ''),
    )
    await until('the start', async () => /^running/.test((await states())['loose'] ?? ''))
    await stack.run('exec', '-T', 'db', 'rm', '/ill')
    await until('both', async () => {
      const { api = '', web = '' } = await states()
      return [api, web].every(each => each.startsWith('running') && !each.includes('waits'))
    })
    assert.match(engine.log, /waits: #1 .*waits-api-1 +stop-container +it waits for db, which is unhealthy/)
    assert.match(engine.log, /waits: #\d+ .*waits-api-1 +start-container +it need not wait for db any more/)
    assert.doesNotMatch(engine.log, /waits-loose-1 +stop-container/)
    await stack.run('down')
  })

  test('runs jobs by their schedule and by hand, one at a time, and remembers how they ended', async () => {
    const stack = engine.stack(
      `
services:
  tick: {image: busybox, command: "sh -c 'echo ran; exit 3'", x-schedule: "* * * * * *"}
  slow: {image: busybox, command: sleep 30, stop_signal: SIGKILL, x-schedule: {cron: "0 0 1 1 *", concurrency: forbid}}
`,
      'jobs',
    )
    await stack.run('up', '-d')
    // a run that goes on is none of its replicas
    assert.deepEqual(
      (await stack.ps()).filter(each => each.Service === 'slow'),
      [],
    )
    type Run = {
      readonly Service: string
      readonly Outcome: string
      readonly ExitCode?: number
      readonly Output: string[]
    }
    const runs = async (service: string) =>
      (await stack.run('jobs', '--history', '--format', 'jsonl', service))
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as Run)
    await until('two runs', async () => (await runs('tick')).filter(run => run.Outcome === 'failed').length >= 2)
    const ended = (await runs('tick')).find(run => run.Outcome === 'failed')!
    assert.deepEqual([ended.ExitCode, ended.Output], [3, ['ran']])
    await stack.run('jobs', '--run', 'slow')
    await until('the slow one', async () => (await runs('slow'))[0]?.Outcome === 'running')
    await stack.run('jobs', '--run', 'slow')
    assert.deepEqual((await runs('slow')).map(run => run.Outcome).sort(), ['running', 'skipped'])
    const table = await stack.run('jobs')
    assert.match(table, /^jobs +slow +0 0 1 1 \* +20\d\d-01-01T/m)
    await stack.run('down', '--remove-orphans')
  })

  test('takes runs of jobs with it that begin while a down asks whether it may', {
    skip: lacking(program('script')),
  }, async t => {
    const stack = engine.stack(
      `
services:
  web: {${sleeper}, volumes: ["data:/data"]}
  tick: {image: busybox, command: sleep 30, stop_signal: SIGKILL, x-schedule: {cron: "* * * * * *", concurrency: allow}}
volumes: {data: {}}
`,
      'asked',
    )
    await stack.run('up', '-d')
    const client = createClient(engine.host)
    t.after(() => client.close())
    const filters = { label: ['com.docker.compose.project=asked'] }
    const ids = async () =>
      (await client.call(endpoints.containerList, { query: { all: true, filters } })).map(({ Id }) => Id)
    const down = spawn('script', ['-qec', `stty cols 80; "${launcher}" down -v`, '/dev/null'], {
      cwd: stack.folder,
      env: { ...process.env, ...engine.env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    t.after(() => down.kill('SIGKILL'))
    let said = ''
    down.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    const ended = once(down, 'close')
    await until('the question', () => said.includes('Go on?'))
    const seen = new Set(await ids())
    await until('a run that it has not seen', async () => (await ids()).some(id => !seen.has(id)))
    down.stdin.write('y\n')
    assert.deepEqual([(await ended)[0], await ids()], [0, []], said)
  })

  test('brings a stack up after the start of the machine as up does: order, conditions, hooks', {
    timeout: 120_000 * patience,
    skip: lacking(ownEngine('all of its processes are killed, as at a start of the machine')),
  }, async () => {
    const log = (word: string) => `sh -c 'echo ${word} >> /log/order; exec sleep infinity'`
    const stack = engine.stack(
      `
x-all: &all {image: busybox, stop_signal: SIGKILL, restart: always, volumes: ["order:/log"]}
services:
  web:
    <<: *all
    command: ${log('web')}
    depends_on: {db: {condition: service_healthy}, migrate: {condition: service_completed_successfully}}
    pre_start: [{command: [sh, -c, "echo init >> /log/order"]}]
    post_start: [{command: [sh, -c, "echo hook >> /log/order"]}]
  migrate:
    <<: *all
    restart: "no"
    command: sh -c 'sleep 0.3; echo migrate >> /log/order'
    depends_on: {db: {condition: service_healthy}}
  db:
    <<: *all
    command: sh -c 'rm -f /ready; sleep 0.5; echo db >> /log/order; touch /ready; exec sleep infinity'
    healthcheck: {test: "test -e /ready", interval: 100ms, start_period: 5s, start_interval: 100ms}
volumes: {order: {}}
`,
      'boot',
    )
    await stack.run('up', '-d')
    await settled('boot')
    const volume = join(engine.roots.data, 'volumes/boot_order/_data/order')
    const order = () => readFileSync(volume, 'utf8').trim().split('\n')
    const first = ['db', 'migrate', 'init', 'web', 'hook']
    assert.deepEqual(order(), first)
    // the machine goes: every process at once, and what lies in memory with it
    const pids = (await Promise.all(['boot-web-1', 'boot-db-1'].map(inspect))).map(({ State }) => State.Pid)
    const monitors = pids.map(pid => Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]))
    const keeper = await findKeeper({ host: engine.host, env: engine.env })
    const { Pid: keeperPid } = await keeper!.call(keeperEndpoints.keeperStatus, {})
    keeper!.close()
    await engine.halt('SIGKILL')
    for (const pid of [keeperPid, ...monitors, ...pids])
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // it went with one of the others
      }
    rmSync(engine.roots.run, { recursive: true, force: true })
    for (const name of readdirSync(engine.folder)) if (/\.sock/.test(name)) rmSync(join(engine.folder, name))
    rmSync(volume)
    await engine.boot()
    await until('the last hook', () => {
      try {
        return order().includes('hook')
      } catch {
        return false
      }
    })
    assert.deepEqual(order(), first, engine.log)
    await settled('boot')
    await stack.run('down', '-v', '-y')
  })
})
