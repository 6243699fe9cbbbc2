import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EventMessage } from '../../src/api/events.ts'
import type { ObservedContainer } from '../../src/targets/engine/observed.ts'
import { reconcile } from '../../src/targets/engine/plan/reconcile.ts'
import { BackOff } from '../../src/watch/back-off.ts'
import { Suspicions } from '../../src/watch/suspicions.ts'
import { applied, nothing, project, service } from '../targets/engine/plan/project.ts'

const shop = project([service('web', { image: 'busybox' })])
const network = Object.values(shop.networks)[0]!.name

type Step = readonly [action: string, attributes?: Readonly<Record<string, string>>, time?: number]

function heard(steps: readonly Step[], type = 'container', id = 'w'): Suspicions {
  const suspicions = new Suspicions()
  for (const [Action, attributes = {}, time = 100] of steps) {
    const Attributes = { name: 'shop-web-1', 'com.docker.compose.service': 'web', ...attributes }
    const event: EventMessage = { Type: type, Action, Actor: { ID: id, Attributes }, scope: 'local', time, timeNano: 0 }
    suspicions.hear(event, shop)
  }
  return suspicions
}

const [first] = applied(reconcile(shop, nothing()), nothing()).containers
const web = (own: Partial<ObservedContainer>): ObservedContainer => ({ ...first!, id: 'w', ...own })
const running = web({ state: 'running' })
const exited = web({ state: 'exited', exitCode: 137 })

describe('Suspicions', () => {
  const table: readonly (readonly [
    what: string,
    steps: readonly Step[],
    found: (typeof running)[],
    causes: string[],
  ])[] = [
    [
      'a container that was killed through the engine',
      [['kill'], ['die', { exitCode: '137' }]],
      [exited],
      ['shop-web-1 was killed'],
    ],
    [
      'a container whose process was killed from the host',
      [['die', { exitCode: '137' }]],
      [exited],
      ['shop-web-1 was killed'],
    ],
    [
      'a container that was removed by force',
      [['kill'], ['die', { exitCode: '137' }], ['destroy']],
      [],
      ['shop-web-1 was removed'],
    ],
    ['a container that was paused', [['pause']], [web({ state: 'paused' })], ['shop-web-1 was paused']],
    ['limits that were edited', [['update']], [running], ['limits of shop-web-1 were changed']],
    ['not one that was stopped by request', [['kill'], ['die', { exitCode: '143' }], ['stop']], [exited], []],
    ['not one whose stop is told before its end', [['kill'], ['stop'], ['die', { exitCode: '137' }]], [exited], []],
    [
      'one that was killed after it was stopped and started',
      [['stop'], ['die', { exitCode: '137' }], ['start'], ['kill'], ['die', { exitCode: '137' }]],
      [exited],
      ['shop-web-1 was killed'],
    ],
    ['not one that was stopped and removed', [['kill'], ['die', { exitCode: '137' }], ['stop'], ['destroy']], [], []],
    [
      'a container that was removed and is listed for a moment more',
      [['kill'], ['die', { exitCode: '137' }], ['destroy']],
      [exited],
      ['shop-web-1 was removed'],
    ],
    ['not one that ended by itself', [['die', { exitCode: '1' }]], [exited], []],
    ['not one that ended by itself and was removed', [['die', { exitCode: '0' }], ['destroy']], [], []],
    ['not one that the kernel killed for its memory', [['oom'], ['die', { exitCode: '137' }]], [exited], []],
    [
      'not one that a signal did not end for a long time',
      [
        ['kill', {}, 1],
        ['die', { exitCode: '3' }, 100],
      ],
      [exited],
      [],
    ],
    [
      'not one that its restart policy has started again',
      [['kill'], ['die', { exitCode: '137' }], ['start']],
      [running],
      [],
    ],
    ['not one that runs again when one looks', [['kill'], ['die', { exitCode: '137' }]], [running], []],
    ['not one that was let go on', [['pause'], ['unpause']], [running], []],
    [
      'not a container of run',
      [
        ['kill', { 'com.docker.compose.oneoff': 'True' }],
        ['die', { 'com.docker.compose.oneoff': 'True', exitCode: '137' }],
      ],
      [],
      [],
    ],
  ]
  for (const [what, steps, found, causes] of table)
    test(`finds ${what}`, () => {
      const findings = heard(steps).confirm(found)
      assert.deepEqual(
        findings.map(each => each.cause),
        causes,
      )
      assert.ok(findings.every(({ services }) => services.join() === 'web'))
    })

  test('finds a container that was taken from a network of the project while it runs', () => {
    const steps: Step[] = [['disconnect', { container: 'w', name: network }]]
    const without = { ...running, networks: {} }
    assert.deepEqual(
      heard(steps, 'network')
        .confirm([without])
        .map(each => each.cause),
      [`shop-web-1 was disconnected from ${network}`],
    )
    assert.deepEqual(heard(steps, 'network').confirm([{ ...exited, networks: {} }]), [])
    assert.deepEqual(heard(steps, 'network').confirm([{ ...running, networks: { [network]: 'n' } }]), [])
    assert.deepEqual(heard([['disconnect', { container: 'w', name: 'other' }]], 'network').confirm([without]), [])
  })

  test('finds an image that has another content under its name', () => {
    const steps: Step[] = [['tag', { name: 'docker.io/library/busybox:latest' }]]
    assert.deepEqual(
      heard(steps, 'image', 'sha256:1')
        .confirm([])
        .map(each => each.cause),
      ['image busybox is another one now'],
    )
    assert.deepEqual(heard([['tag', { name: 'busybox:2' }]], 'image', 'sha256:1').confirm([]), [])
  })

  test('finds each once', () => {
    const suspicions = heard([['pause']])
    assert.equal(suspicions.confirm([web({ state: 'paused' })]).length, 1)
    assert.equal(suspicions.confirm([web({ state: 'paused' })]).length, 0)
  })
})

describe('BackOff', () => {
  test('lets a few pass, waits longer each time, and not at all after a long peace', () => {
    const backOff = new BackOff()
    assert.deepEqual(
      [0, 100, 200].map(now => backOff.wait('web', now)),
      [0, 0, 0],
    )
    assert.equal(backOff.wait('web', 300), 900)
    assert.equal(backOff.wait('db', 300), 0)
    assert.equal(backOff.wait('web', 1200), 0)
    assert.equal(backOff.wait('web', 1300), 1900)
    assert.equal(backOff.wait('web', 3200), 0)
    assert.equal(backOff.wait('web', 3200 + 40_001), 0)
    assert.equal(backOff.wait('web', 3200 + 40_002), 0)
  })
})
