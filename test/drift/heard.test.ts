import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Cause, follow, type Heard, heard, type Known, nothingKnown } from '../../src/drift/heard.ts'
import { Windows } from '../../src/drift/windows.ts'

const start: Known = { accepted: { stopped: [], paused: [], scale: {} }, ...nothingKnown }

const none = { signal: undefined, exitCode: undefined }

/** What is known after these, and what follows from the last. */
function after(cause: Cause, ...actions: readonly string[]) {
  let known = start
  let last = { look: false, hooks: false }
  for (const each of actions) {
    const [action = '', word] = each.split('/')
    const at = each.endsWith(' late') ? 100_000 : 0
    const more = action === 'die' ? { exitCode: Number.parseInt(word ?? '1', 10) } : { signal: word }
    const event: Heard = { ...{ action, id: 'a', name: 'shop-web-1', service: 'web', at }, ...none, ...more }
    const { look, hooks, ...rest } = follow(known, event, { cause, wanted: () => 2 })
    known = rest
    last = { look, hooks }
  }
  const { accepted, killed } = known
  return { ...accepted, killed: [...killed], ...last }
}

const nothing = { stopped: [], paused: [], scale: {}, killed: [], look: false, hooks: false }

describe('follow()', () => {
  const rows: readonly (readonly [string, Cause, readonly string[], object])[] = [
    ['an end by itself is looked at', 'other', ['die'], { look: true }],
    ['a kill by hand is to be mended', 'other', ['kill/9', 'die'], { killed: ['a'], look: true }],
    ['so is one by SIGTERM', 'other', ['kill/15', 'die'], { killed: ['a'], look: true }],
    ['a signal that ends nothing is none of our business', 'other', ['kill/1'], {}],
    ['after one that end is its own', 'other', ['kill/1', 'die'], { look: true }],
    ['a stop by whatever client is meant', 'other', ['kill/15', 'die', 'stop'], { stopped: ['a'], look: true }],
    [
      'until it is started again, without its hooks',
      'other',
      ['kill/15', 'die', 'stop', 'start'],
      { look: true, hooks: true },
    ],
    ['what was stopped and then removed is not wanted back', 'other', ['stop', 'destroy'], { scale: { web: 1 } }],
    ['a kill from the host is to be mended', 'other', ['die/137'], { killed: ['a'], look: true }],
    ['an end by the kernel for its memory is its own', 'other', ['oom', 'die/137'], { look: true }],
    ['an end long after a signal is its own', 'other', ['kill/15', 'die/3 late'], { look: true }],
    ['what has done its work and is removed is not wanted back', 'other', ['die/0', 'destroy'], { scale: { web: 1 } }],
    ['what has failed and is removed is', 'other', ['die/1', 'destroy'], { look: true }],
    ['what was removed while it ran is', 'other', ['kill/9', 'die', 'destroy'], { look: true }],
    ['a pause by hand is to be mended', 'other', ['pause'], { look: true }],
    ['a change of limits is looked at', 'other', ['update'], { look: true }],
    ['a person kills by our command', 'turning', ['kill/9', 'die'], { stopped: ['a'] }],
    ['a person pauses by our command', 'turning', ['pause'], { paused: ['a'] }],
    ['and lets it go on', 'turning', ['pause', 'unpause'], {}],
    ['a person restarts by our command', 'turning', ['kill/15', 'die', 'stop', 'start'], {}],
    ['a person removes by our command', 'turning', ['kill/15', 'die', 'stop', 'destroy'], { scale: { web: 1 } }],
    ['a watch replaces', 'watching', ['kill/15', 'die/143', 'stop', 'destroy'], {}],
    ['what is stopped while it is watched stays so', 'watching', ['kill/15', 'die/143', 'stop'], { stopped: ['a'] }],
    ['up replaces', 'making', ['kill/15', 'die', 'stop', 'destroy'], {}],
    ['we replace', 'mine', ['kill/15', 'die', 'stop', 'destroy'], {}],
    ['we start', 'mine', ['start'], {}],
  ]
  for (const [title, cause, actions, expected] of rows)
    test(`${title}: ${cause} ${actions.join(', ')}`, () => {
      assert.deepEqual(after(cause, ...actions), { ...nothing, ...expected })
    })
})

test('follow() takes an end for meant that comes after the command whose signal caused it', () => {
  const wanted = () => 1
  const of = (action: string, own: Partial<Heard>): Heard => ({
    ...{ action, id: 'a', name: 'shop-web-1', service: 'web', at: 0 },
    ...none,
    ...own,
  })
  const killed = (cause: Cause) => follow(start, of('kill', { signal: '9' }), { cause, wanted })
  const ended = (by: Cause, own: Partial<Heard> = {}) =>
    follow(killed(by), of('die', { exitCode: 137, at: 20, ...own }), { cause: 'other', wanted })
  assert.deepEqual(ended('turning').accepted.stopped, ['a'])
  assert.equal(ended('turning').killed.size, 0)
  assert.deepEqual([...ended('other').killed], ['a'])
  // what it has not ended for so long another has
  assert.deepEqual([...ended('turning', { at: 61_000 }).killed], ['a'])
})

describe('heard()', () => {
  const event = (Type: string, labels: Record<string, string>) => ({
    Type,
    Action: 'die',
    Actor: { ID: 'a', Attributes: { name: 'shop-web-1', ...labels } },
    scope: 'local',
    time: 1,
    timeNano: 1_500_000_000,
  })
  const own = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' }

  test('tells of containers of services', () => {
    assert.deepEqual(heard(event('container', own)), {
      project: 'shop',
      action: 'die',
      id: 'a',
      name: 'shop-web-1',
      service: 'web',
      at: 1500,
      ...none,
    })
  })

  test('tells nothing of networks, of one-off containers and of those of nobody', () => {
    assert.equal(heard(event('network', own)), undefined)
    assert.equal(heard(event('container', { ...own, 'com.docker.compose.oneoff': 'True' })), undefined)
    assert.equal(heard(event('container', {})), undefined)
  })
})

describe('Windows', () => {
  const at = (time: number, name = 'a'): Heard => ({
    action: 'die',
    id: '1',
    name,
    service: 's',
    at: time,
    ...none,
  })

  test('know by whom something was done from when it was, however late it is heard', t => {
    t.mock.timers.enable({ apis: ['Date'], now: 1000 })
    const windows = new Windows()
    const turn = windows.open('turning')
    t.mock.timers.tick(10)
    const mine = windows.open('mine', 'a')
    t.mock.timers.tick(10)
    mine()
    t.mock.timers.tick(10)
    turn()
    t.mock.timers.tick(10)
    assert.equal(windows.causeOf(at(999)), 'other')
    assert.equal(windows.causeOf(at(1005)), 'turning')
    assert.equal(windows.causeOf(at(1015)), 'mine')
    assert.equal(windows.causeOf(at(1015, 'b')), 'turning')
    assert.equal(windows.causeOf(at(1030.9)), 'turning')
    assert.equal(windows.causeOf(at(1031)), 'other')
    // as it is called until what it replaces is gone
    assert.equal(windows.causeOf(at(1015, '0123456789ab_a')), 'mine')
  })
})
