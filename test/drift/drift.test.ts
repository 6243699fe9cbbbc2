import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { EventMessage } from '../../src/api/events.ts'
import { Drift } from '../../src/drift/drift.ts'
import { leaves } from '../../src/drift/leaves.ts'
import type { ObservedContainer } from '../../src/targets/engine/observed.ts'
import { project, service } from '../targets/engine/plan/project.ts'
import { container } from './container.ts'

const shop = project([service('web', { image: 'busybox' })])
const network = Object.values(shop.networks)[0]!.name

type Step = readonly [action: string, attributes?: Readonly<Record<string, string>>, milliseconds?: number]

const running = container({ id: 'w', networks: { [network]: 'n' } })
const exited: ObservedContainer = { ...running, state: 'exited', exitCode: 137 }

function event([Action, own = {}, milliseconds = 0]: Step, Type = 'container', id = 'w'): EventMessage {
  const labels = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' }
  const Attributes = Type === 'container' ? { name: 'shop-web-1', ...labels, ...own } : own
  // past 2⁵³ its last digits are lost: in the middle of a millisecond it stays in that
  const timeNano = (Date.now() + milliseconds + 0.5) * 1e6
  return { Type, Action, Actor: { ID: id, Attributes }, scope: 'local', time: timeNano / 1e9, timeNano }
}

interface Heard {
  readonly drift: Drift
  /** How often it was looked. */
  readonly looks: number
}

/** What somebody has done, and the looks that followed. */
function heard(t: TestContext, events: readonly EventMessage[], look = () => Promise.resolve(false)): Heard {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const found = { looks: 0 }
  const drift = new Drift({
    phase: 'steady',
    project: () => shop,
    wanted: () => 1,
    look: () => {
      found.looks++
      return look()
    },
    accept: () => undefined,
    failed: error => assert.fail(String(error)),
  })
  drift.see([running])
  for (const each of events) drift.hear(each)
  t.mock.timers.tick(500)
  return { drift, ...found }
}

const disconnect: Step = ['disconnect', { container: 'w', name: network }]
const die: Step = ['die', { exitCode: '137' }]
const kill: Step = ['kill', { signal: '9' }]

describe('Drift', () => {
  interface Row {
    readonly steps: readonly Step[]
    /** As it is when one looks; undefined: gone. */
    readonly found: ObservedContainer | undefined
    readonly causes: readonly string[]
    /** Whether it is brought back, where it does not run. */
    readonly stays?: boolean
  }
  const killed = ['shop-web-1 was killed']
  const rows: Readonly<Record<string, Row>> = {
    'a container that was killed through the engine': { steps: [kill, die], found: exited, causes: killed },
    'a container whose process was killed from the host': { steps: [die], found: exited, causes: killed },
    'a container that was removed by force': {
      steps: [kill, die, ['destroy']],
      found: undefined,
      causes: ['shop-web-1 was removed'],
    },
    'one that was removed and is listed for a moment more': {
      steps: [kill, die, ['destroy']],
      found: exited,
      causes: ['shop-web-1 was removed'],
      stays: true,
    },
    'a container that was paused': {
      steps: [['pause']],
      found: { ...running, state: 'paused' },
      causes: ['shop-web-1 was paused'],
    },
    'limits that were edited': { steps: [['update']], found: running, causes: ['limits of shop-web-1 were changed'] },
    'not one that was stopped by request': { steps: [kill, die, ['stop']], found: exited, causes: [], stays: true },
    'not one whose stop is told before its end': {
      steps: [kill, ['stop'], ['die', { exitCode: '143' }]],
      found: exited,
      causes: [],
      stays: true,
    },
    'one that was killed after it was stopped and started': {
      steps: [['stop'], die, ['start'], kill, die],
      found: exited,
      causes: killed,
    },
    'not one that ended by itself': { steps: [['die', { exitCode: '1' }]], found: exited, causes: [], stays: true },
    'not one that ended by itself and was removed': {
      steps: [['die', { exitCode: '0' }], ['destroy']],
      found: undefined,
      causes: [],
    },
    'not one that the kernel killed for its memory': { steps: [['oom'], die], found: exited, causes: [], stays: true },
    'not one that a signal did not end for a long time': {
      steps: [kill, ['die', { exitCode: '3' }, 61_000]],
      found: exited,
      causes: [],
      stays: true,
    },
    'not one that its restart policy has started again': { steps: [kill, die, ['start']], found: running, causes: [] },
    'not one that runs again when one looks': { steps: [kill, die], found: running, causes: [] },
    'not one that was let go on': { steps: [['pause'], ['unpause']], found: running, causes: [] },
    'not a container of run': {
      steps: [kill, die].map(([action, own]): Step => [action, { ...own, 'com.docker.compose.oneoff': 'True' }]),
      found: exited,
      causes: [],
      stays: true,
    },
  }
  for (const [what, { steps, found, causes, stays = false }] of Object.entries(rows))
    test(`finds ${what}`, t => {
      const { drift } = heard(
        t,
        steps.map(step => event(step)),
      )
      assert.deepEqual(drift.see(found ? [found] : []), causes)
      if (found && found.state !== 'running') {
        const { accepted, killed, phase } = drift
        assert.equal(leaves({ project: shop, accepted, killed, phase }, found), stays)
      }
      // each once
      assert.deepEqual(drift.see(found ? [found] : []), [])
    })

  test('finds a container that was taken from a network of the project while it runs', t => {
    const without = { ...running, networks: {} }
    const causes = (step: Step, now: ObservedContainer) => {
      t.mock.timers.reset()
      return heard(t, [event(step, 'network', 'n')]).drift.see([now])
    }
    assert.deepEqual(causes(disconnect, without), [`shop-web-1 was disconnected from ${network}`])
    assert.deepEqual(causes(disconnect, { ...exited, networks: {} }), [])
    assert.deepEqual(causes(disconnect, running), [])
    assert.deepEqual(causes(['disconnect', { container: 'other', name: network }], without), [])
  })

  test('finds an image that has another content under its name', t => {
    const named = (name: string) => {
      t.mock.timers.reset()
      return heard(t, [event(['tag', { name }], 'image', 'sha256:1')])
    }
    const other = named('docker.io/library/busybox:latest')
    assert.equal(other.looks, 1)
    // what it means now is told by the second look
    assert.deepEqual(other.drift.see([running]), [])
    const means = (id: string) => new Map([['busybox', id]])
    assert.deepEqual(other.drift.see([running], means('sha256:new')), ['image busybox is another one now'])
    assert.deepEqual(other.drift.see([running], means('sha256:new')), [])
    // it is asked for again, and what runs is the old one still, since the new one does not work
    other.drift.hear(event(['pull', { name: 'busybox' }], 'image', 'busybox:latest'))
    assert.deepEqual(other.drift.see([running], means('sha256:new')), [])
    other.drift.hear(event(['pull', { name: 'busybox' }], 'image', 'busybox:latest'))
    assert.deepEqual(other.drift.see([running], means('sha256:newer')), ['image busybox is another one now'])
    assert.deepEqual(
      named('busybox').drift.see([running], means(running.imageId)),
      [],
      'it was pulled, and is the same',
    )
    assert.deepEqual(named('busybox').drift.see([running], new Map()), [])
    assert.equal(named('busybox:2').looks, 0)
  })

  test('looks once at what happens together, and not at all while a person works on it or at their doing', async t => {
    const { drift, looks } = heard(
      t,
      [kill, die, ['destroy'] as const].map(step => event(step)),
    )
    assert.equal(looks, 1)
    await drift.close()
    t.mock.timers.reset()
    let late = 0
    const other = new Drift({
      phase: 'steady',
      project: () => shop,
      wanted: () => 1,
      look: async () => {
        late++
        return false
      },
      accept: () => undefined,
      failed: error => assert.fail(String(error)),
    })
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const end = await other.turn('turning')
    for (const step of [kill, die] as const) other.hear(event(step))
    t.mock.timers.tick(1000)
    assert.equal(late, 0)
    assert.deepEqual(other.accepted.stopped, ['w'])
    end()
    t.mock.timers.tick(1000)
    assert.equal(late, 1)
    await other.close()
  })

  test('does not undo the same thing over and over without a pause', async t => {
    const { drift, looks } = heard(t, [])
    assert.equal(looks, 0)
    let count = 0
    t.mock.timers.reset()
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 })
    const fought = new Drift({
      phase: 'steady',
      project: () => shop,
      wanted: () => 1,
      look: async () => {
        count++
        return false
      },
      accept: () => undefined,
      failed: error => assert.fail(String(error)),
    })
    for (let i = 0; i < 4; i++) {
      fought.hear(event(['pause']))
      t.mock.timers.tick(150)
      // the look ends
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.equal(count, 3)
    t.mock.timers.tick(1000)
    t.mock.timers.tick(200)
    assert.equal(count, 4)
    await Promise.all([fought.close(), drift.close()])
  })

  test('runs no hooks of what was started before it was to know of it, though it is told of that later', async () => {
    const early = event(['start', {}, -20])
    const drift = new Drift({
      phase: 'steady',
      project: () => shop,
      wanted: () => 1,
      since: Math.floor(early.timeNano / 1e6),
      look: () => Promise.resolve(false),
      accept: () => undefined,
      failed: error => assert.fail(String(error)),
    })
    const end = await drift.turn('making')
    drift.hear(early)
    end()
    assert.deepEqual([...drift.take().hooksDue], [])
    drift.hear(event(['start', {}, 60_000]))
    assert.deepEqual([...drift.take().hooksDue], ['shop-web-1'])
    await drift.close()
  })

  test('looks soon at each image that is asked for again and again', async t => {
    let count = 0
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 })
    const asked = new Drift({
      phase: 'steady',
      project: () => shop,
      wanted: () => 1,
      look: async () => {
        count++
        return false
      },
      accept: () => undefined,
      did: () => assert.fail('it changes nothing of what runs'),
      failed: error => assert.fail(String(error)),
    })
    for (let i = 1; i <= 8; i++) {
      asked.hear(event(['pull', { name: 'busybox' }], 'image', 'busybox:latest'))
      t.mock.timers.tick(150)
      await new Promise(resolve => setImmediate(resolve))
      assert.equal(count, i)
      t.mock.timers.tick(850)
    }
    await asked.close()
  })
})
