/** A stack that needs it is held: what somebody does to it by hand is mended, what a person asks for is not fought. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../../src/api/endpoints.ts'
import { keeperEndpoints } from '../../src/api/keeper.ts'
import { createClient } from '../../src/client/client.ts'
import { findKeeper, hasCompanions } from '../../src/holding/keeper.ts'
import { lockProject } from '../../src/state/project-lock.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'

const sleeper = 'image: busybox, command: sleep infinity, stop_signal: SIGKILL'
const pair = `
services:
  db: {${sleeper}}
  web: {${sleeper}, depends_on: {db: {condition: service_started, restart: true}}}
`

describe('the keeper', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())
  const client = () => createClient(engine.host)
  const place = () => ({ host: engine.host, env: engine.env })
  const ask = async <T>(work: (keeper: ReturnType<typeof client>) => Promise<T>): Promise<T> => {
    const keeper = await findKeeper(place())
    assert.ok(keeper, `no keeper\n${engine.log}`)
    try {
      return await work(keeper)
    } finally {
      keeper.close()
    }
  }
  const settled = (name: string) =>
    eventually(`${name} is settled`, () =>
      ask(async keeper => (await keeper.call(keeperEndpoints.stackInspect, { params: { name } })).State === 'settled'),
    )
  const inspect = async (name: string) => {
    const engineClient = client()
    try {
      return await engineClient.call(endpoints.containerInspect, { params: { id: name } })
    } catch {
      return undefined
    } finally {
      engineClient.close()
    }
  }
  /** Milliseconds until it is so. */
  const mended = async (what: string, isSo: () => Promise<boolean>): Promise<number> => {
    const begin = performance.now()
    while (!(await isSo())) {
      assert.ok(performance.now() - begin < 10_000 * patience, `${what} is not mended\n${engine.log}`)
      await pause(10)
    }
    return performance.now() - begin
  }
  const interfere = async (work: (engineClient: ReturnType<typeof client>) => Promise<unknown>) => {
    const engineClient = client()
    await work(engineClient)
    engineClient.close()
  }

  test('is started by up for a stack that needs it, and ends with the last one', async () => {
    const plain = engine.stack(`services: {a: {${sleeper}}}`)
    await plain.run('up', '-d')
    assert.equal(await findKeeper(place()), undefined)
    await plain.run('down')
    const stack = engine.stack(pair, 'shop')
    await stack.run('up', '-d')
    const [held] = await ask(keeper => keeper.call(keeperEndpoints.stackList, {}))
    assert.equal(held?.Name, 'shop')
    assert.deepEqual(held?.Reasons, ['web is restarted with db'])
    await stack.run('down')
    await eventually('its end', async () => (await findKeeper(place())) === undefined)
    const engineClient = client()
    // a Docker Engine keeps none
    if (await hasCompanions(engineClient)) assert.deepEqual(await engineClient.call(endpoints.companionList, {}), [])
    engineClient.close()
  })

  test('mends what somebody does by hand within a second, and says why', async () => {
    const stack = engine.stack(pair, 'drift')
    await stack.run('up', '-d')
    await settled('drift')
    const params = { id: 'drift-web-1' }
    const runs = async () => (await inspect('drift-web-1'))?.State.Status === 'running'
    const kinds: Readonly<Record<string, () => Promise<number>>> = {
      killed: async () => {
        const before = (await inspect('drift-web-1'))?.State.StartedAt
        await interfere(each => each.call(endpoints.containerKill, { params, query: { signal: 'SIGKILL' } }))
        const isAnother = async () => (await inspect('drift-web-1'))?.State.StartedAt !== before
        return mended('the killed one', async () => (await runs()) && (await isAnother()))
      },
      paused: async () => {
        const from = engine.log.length
        await interfere(each => each.call(endpoints.containerPause, { params }))
        // it may run again before anybody could look
        const isTold = () => /drift: .*drift-web-1 .*unpause-container/.test(engine.log.slice(from))
        return mended('the paused one', async () => isTold() && (await runs()))
      },
      disconnected: async () => {
        const body = { Container: 'drift-web-1', Force: true }
        await interfere(each => each.call(endpoints.networkDisconnect, { params: { id: 'drift_default' }, body }))
        return mended('the disconnected one', async () => {
          const now = await inspect('drift-web-1')
          return now?.State.Status === 'running' && now.NetworkSettings.Networks?.['drift_default'] !== undefined
        })
      },
    }
    const second = 1000 * patience
    for (const [kind, interference] of Object.entries(kinds)) {
      // the quickest of a few times, since others may keep this machine busy
      let least = Number.POSITIVE_INFINITY
      for (let tries = 0; tries < 3 && least >= second; tries++) {
        least = Math.min(least, await interference())
        await settled('drift')
      }
      console.log(`${kind}: mended in ${Math.round(least)} ms`)
      assert.ok(least < second, `${kind} is mended after ${least} ms\n${engine.log}`)
    }
    assert.match(engine.log, /drift: #1 .*drift-web-1 .*start-container .*it exited with code 137/)
    assert.match(engine.log, /drift: #1 .*drift-web-1 .*unpause-container .*it is paused/)
    assert.match(engine.log, /drift: #1 .*drift-web-1 .*network default is not connected/)
    await stack.run('down')
  })

  test('waits for whoever applies to the stack, and keeps what it does in the history', async () => {
    const stack = engine.stack(pair, 'turns')
    await stack.run('up', '-d')
    await settled('turns')
    const applies = async () =>
      (await stack.run('history', '--format', '{{.Command}} {{.User}} {{.Outcome}}')).split('\n')
    const before = await applies()
    const holder = { pid: process.pid, user: 'ada', command: 'a test' }
    const params = { id: 'turns-web-1' }
    const runs = async () => (await inspect('turns-web-1'))?.State.Status === 'running'
    {
      // the keeper may look once more at what the up has left settled, and has it for that long
      const onWait = () => undefined
      await using _ = await lockProject({ host: engine.host, project: 'turns', holder, onWait })
      await interfere(each => each.call(endpoints.containerKill, { params }))
      await eventually('the keeper waits', () =>
        ask(async keeper => {
          const { State } = await keeper.call(keeperEndpoints.stackInspect, { params: { name: 'turns' } })
          return State === 'acting'
        }),
      )
      // five times as long as a repair takes
      await pause(1000 * patience)
      assert.equal(await runs(), false)
    }
    await mended('what was killed', runs)
    await settled('turns')
    assert.deepEqual(await applies(), ['repair keeper done', ...before])
    assert.match((await stack.try('rollback', '-y')).stderr, /no earlier apply to go back to/)
    await stack.run('down')
  })

  test('restarts what follows a dependency that was killed or restarted by hand', async () => {
    const stack = engine.stack(pair, 'follow')
    await stack.run('up', '-d')
    await settled('follow')
    const startOf = async (name: string) => Date.parse((await inspect(name))?.State.StartedAt ?? '')
    for (const how of ['kill', 'restart'] as const) {
      const before = await startOf('follow-web-1')
      const params = { id: 'follow-db-1' }
      await interfere(each =>
        how === 'kill'
          ? each.call(endpoints.containerKill, { params })
          : each.call(endpoints.containerRestart, { params, query: { t: 0 } }),
      )
      const took = await mended(`web after db's ${how}`, async () => {
        const [web, db] = [await startOf('follow-web-1'), await startOf('follow-db-1')]
        return web > before && web > db
      })
      console.log(`${how} of what is needed: followed in ${Math.round(took)} ms`)
      await settled('follow')
    }
    assert.match(engine.log, /follow: .*follow-web-1 .*restart-container .*db is started/)
    assert.match(engine.log, /follow: .*follow-web-1 .*restart-container .*db has been started again/)
    await stack.run('down')
  })

  test('does not fight what a person asks for: stop, kill, pause, scale, rm, restart --no-deps, docker stop', async () => {
    const stack = engine.stack(pair, 'wish')
    await stack.run('up', '-d')
    const states = async () => (await stack.ps()).map(each => `${each.Name} ${each.State}`).sort()
    const stays = async (wanted: readonly string[]) => {
      await settled('wish')
      // long enough for what would be wrong to happen
      await pause(400 * patience)
      await settled('wish')
      assert.deepEqual(await states(), wanted, engine.log)
    }
    const running = ['wish-db-1 running', 'wish-web-1 running']
    for (const command of [
      ['stop', 'web'],
      ['kill', 'web'],
    ]) {
      await stack.run(...command)
      await stays(['wish-db-1 running', 'wish-web-1 exited'])
      await stack.run('start', 'web')
      await stays(running)
    }
    await stack.run('pause', 'web')
    await stays(['wish-db-1 running', 'wish-web-1 paused'])
    await stack.run('unpause', 'web')
    await stack.run('scale', 'web=2')
    await stays([...running, 'wish-web-2 running'])
    await stack.run('scale', 'web=1')
    await stays(running)
    await stack.run('rm', '-sf', 'web')
    await stays(['wish-db-1 running'])
    await stack.run('up', '-d')
    await stays(running)
    const web = await inspect('wish-web-1')
    await stack.run('restart', '--no-deps', '-t', '0', 'db')
    await stays(running)
    assert.equal((await inspect('wish-web-1'))?.State.StartedAt, web?.State.StartedAt)
    await interfere(each => each.call(endpoints.containerStop, { params: { id: 'wish-web-1' } }))
    await stays(['wish-db-1 running', 'wish-web-1 exited'])
    await stack.run('down')
    await pause(300 * patience)
    assert.deepEqual(await states(), [])
  })

  test('lets go of what somebody removes, of one container and of the whole stack', async () => {
    const stack = engine.stack(pair, 'removed')
    await stack.run('up', '-d', '--scale', 'web=2')
    await settled('removed')
    const remove = (name: string) =>
      interfere(each => each.call(endpoints.containerRemove, { params: { id: name }, query: { force: true } }))
    await remove('removed-web-1')
    // what is mended after it tells that the keeper has seen both
    await interfere(each => each.call(endpoints.containerKill, { params: { id: 'removed-db-1' } }))
    await mended('db', async () => (await inspect('removed-db-1'))?.State.Status === 'running')
    await settled('removed')
    const names = async () => (await stack.ps()).map(({ Name }) => Name).sort()
    assert.deepEqual(await names(), ['removed-db-1', 'removed-web-2'], engine.log)
    await remove('removed-web-2')
    await remove('removed-db-1')
    await eventually('its end', async () => (await findKeeper(place())) === undefined || assert.fail(engine.log))
    assert.deepEqual(await names(), [], engine.log)
    assert.match(engine.log, /removed: nothing of it is left, and it is held no more/)
    await stack.run('up', '-d')
    await settled('removed')
    assert.deepEqual(await names(), ['removed-db-1', 'removed-web-1'])
    await stack.run('down')
  })

  test('goes on after SIGKILL with what it held, and what was stopped before stays so', async () => {
    const stack = engine.stack(pair, 'again')
    await stack.run('up', '-d')
    await stack.run('kill', 'web')
    await settled('again')
    const pid = () => ask(async keeper => (await keeper.call(keeperEndpoints.keeperStatus, {})).Pid)
    // what was heard is written down by then
    await pause(500 * patience)
    const first = await pid()
    process.kill(first, 'SIGKILL')
    await eventually('another keeper', async () => {
      const keeper = await findKeeper(place())
      keeper?.close()
      return keeper !== undefined
    })
    assert.notEqual(await pid(), first)
    await settled('again')
    assert.equal((await inspect('again-web-1'))?.State.Status, 'exited')
    await interfere(each => each.call(endpoints.containerKill, { params: { id: 'again-db-1' } }))
    await mended('db', async () => (await inspect('again-db-1'))?.State.Status === 'running')
    await settled('again')
    assert.equal((await inspect('again-web-1'))?.State.Status, 'exited')
    await stack.run('down')
  })
})
