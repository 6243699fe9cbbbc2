import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { PlanFailure } from '../../src/apply/plan-failure.ts'
import { outcomeOf } from '../../src/history/entry.ts'
import { History } from '../../src/history/history.ts'
import { type Applying, Recorder } from '../../src/history/recorder.ts'
import { Failure, isFailure } from '../../src/lib/failure.ts'
import { thaw } from '../../src/model/frozen.ts'
import { projectFolder } from '../../src/state/folder.ts'
import { EnginePlan } from '../../src/targets/engine/engine-plan.ts'
import { eventually } from '../support/eventually.ts'
import { image, nothing, project, service } from '../targets/engine/plan/project.ts'

const folder = mkdtempSync(join(tmpdir(), 'history-'))
after(() => rmSync(folder, { recursive: true }))

let state = 0
let history: History
let files: string
beforeEach(() => {
  const of = { host: 'unix:///fake.sock', env: { TSCOMPOSE_STATE: join(folder, String(++state)) } }
  history = new History('shop', of)
  files = join(projectFolder('shop', of), 'history')
})

function recorder(more: Partial<Applying> = {}): Recorder {
  return new Recorder({
    history,
    length: 20,
    command: 'up',
    user: 'ada',
    project: project([service('web')]),
    warn: text => assert.fail(text),
    now: () => Date.UTC(2026, 10, 28),
    ...more,
  })
}

function plan(): EnginePlan {
  const made = new EnginePlan()
  made.add({ kind: 'remove-volume', cause: 'asked for', name: 'shop_data' })
  return made
}

const seen = nothing({ images: new Map([['busybox', image('sha256:1', { digest: 'sha256:d' })]]) })

describe('Recorder', () => {
  test('keeps model, images, plan and outcome of an apply', async () => {
    const record = recorder()
    await record.during(async () => record.plan(plan(), seen))
    const entry = history.get(1)
    assert.equal(entry.command, 'up')
    assert.equal(entry.user, 'ada')
    assert.equal(entry.begun, '2026-11-28T00:00:00.000Z')
    assert.deepEqual(entry.outcome, { kind: 'done' })
    assert.deepEqual(entry.images, { busybox: { id: 'sha256:1', digest: 'sha256:d' } })
    assert.equal(entry.steps[0]!.operation, 'remove-volume')
    assert.equal(thaw(entry.model).services['web']!.image, 'busybox')
    assert.equal(statSync(join(files, '1.json')).mode & 0o777, 0o600)
  })

  test('is found again by what the newest of a kind is, past what cannot be read', async () => {
    for (const command of ['up', 'scale', 'down']) {
      const record = recorder({ command })
      await record.during(async () => record.plan(plan(), seen))
    }
    writeFileSync(join(files, '4.json'), '{')
    assert.equal(history.newest(() => true)?.number, 3)
    assert.equal(history.newest(({ command }) => command === 'up')?.number, 1)
    assert.equal(
      history.newest(() => false),
      undefined,
    )
  })

  test('keeps nothing of an apply that changes nothing, or was not gone on with', async () => {
    const record = recorder()
    await record.during(async () => record.plan(new EnginePlan(), seen))
    assert.deepEqual(history.read(), { entries: [], damaged: [] })
  })

  describe('of an apply whose process has gone', () => {
    const cutOff = async (more: Partial<Applying> = {}) => {
      const record = recorder(more)
      await record.during(async () => record.plan(plan(), seen))
      const file = join(files, `${history.read().entries.at(-1)!.number}.json`)
      const { ended: _, ...entry } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
      const gone = { pid: 1, start: 'another boot/1' }
      writeFileSync(file, JSON.stringify({ ...entry, process: gone, outcome: { kind: 'begun' } }))
    }

    test('says that it was broken off, whatever was repaired since', async () => {
      await recorder().during(async () => assert.equal(history.brokenOff(), undefined))
      await cutOff()
      assert.equal(history.brokenOff()?.number, 1)
      const repair = recorder({ command: 'repair' })
      await repair.during(async () => repair.plan(plan(), seen))
      assert.equal(history.brokenOff()?.number, 1)
      const next = recorder()
      await next.during(async () => next.plan(plan(), seen))
      assert.equal(history.brokenOff(), undefined)
    })

    test('is found where many services were named', async () => {
      await cutOff({ services: Array.from({ length: 1000 }, (_, i) => `service-${i}`) })
      assert.equal(history.brokenOff()?.number, 1)
    })

    test('is found beneath a document that cannot be read, which keeps nobody from asking', async () => {
      await cutOff()
      mkdirSync(join(files, '2.json'))
      assert.equal(history.brokenOff()?.number, 1)
    })

    test('is done with when an up finds nothing to do, and not when nobody agreed to it', async () => {
      await cutOff()
      await recorder().during(async () => undefined)
      assert.equal(history.brokenOff()?.number, 1)
      const part = recorder({ services: ['web'] })
      await part.during(async () => part.plan(new EnginePlan(), seen))
      assert.equal(history.brokenOff()?.number, 1)
      const whole = recorder()
      await whole.during(async () => whole.plan(new EnginePlan(), seen))
      assert.equal(history.brokenOff(), undefined)
      assert.equal(history.get(1).settled, '2026-11-28T00:00:00.000Z')
      assert.equal(outcomeOf(history.get(1)), 'interrupted')
    })
  })

  test('is written before the first operation, and tells then that it runs', async () => {
    const record = recorder()
    await record.during(async () => {
      record.plan(plan(), seen)
      assert.equal(outcomeOf(history.get(1)), 'running')
    })
    assert.equal(outcomeOf(history.get(1)), 'done')
  })

  test('is whole on disk while it runs, for whoever looks after its end was never told', async () => {
    const record = recorder()
    await record.during(async () => {
      record.plan(plan(), seen)
      await eventually('the model', () => history.get(1).model !== undefined)
      assert.equal(history.get(1).steps.length, 1)
    })
  })

  test('tells of a process that has died on the way that it was interrupted', async () => {
    const record = recorder()
    await record.during(async () => {
      record.plan(plan(), seen)
      const entry = history.get(1)
      assert.equal(outcomeOf({ ...entry, process: { ...entry.process, start: 'another boot/1' } }), 'interrupted')
    })
  })

  test('keeps pulls, builds and every plan made anew as one apply', async () => {
    const record = recorder()
    await record.during(async () => {
      record.plan(plan(), nothing({ images: new Map() }))
      record.plan(plan(), seen)
    })
    const { entries } = history.read()
    assert.equal(entries.length, 1)
    assert.equal(entries[0]!.steps.length, 2)
    assert.equal(entries[0]!.images['busybox']!.id, 'sha256:1')
  })

  const node = plan().nodes[0]!
  for (const [what, error, outcome] of [
    ['an interrupt', new Failure('cancelled', 'Interrupted'), { kind: 'interrupted' }],
    ['any error', new Error('no'), { kind: 'failed', failures: ['no'] }],
    [
      'what failed of the plan',
      new PlanFailure([
        { node, failure: new Failure('conflict', 'one') },
        { node, failure: new Failure('conflict', 'two') },
      ]),
      { kind: 'failed', failures: ['one', 'two'] },
    ],
  ] as const)
    test(`keeps ${what} as the outcome, and passes it on`, async () => {
      const record = recorder()
      const work = record.during(async () => {
        record.plan(plan(), seen)
        throw error
      })
      await assert.rejects(work, error)
      assert.deepEqual(history.get(1).outcome, outcome)
    })

  test('keeps as many as it is told, and gives no number twice', async () => {
    for (let i = 0; i < 5; i++) {
      const record = recorder({ length: 3 })
      await record.during(async () => record.plan(plan(), seen))
    }
    assert.deepEqual(
      history.read().entries.map(each => each.number),
      [3, 4, 5],
    )
    assert.deepEqual(readdirSync(files).sort(), ['3.json', '4.json', '5.json'])
  })

  test('keeps five repairs at most, which push out no apply of a person', async () => {
    const made = ['up', ...Array(7).fill('repair'), 'up', 'repair']
    for (const command of made) {
      const record = recorder({ length: 8, command })
      await record.during(async () => record.plan(plan(), seen))
    }
    assert.deepEqual(
      history.read().entries.map(each => `${each.number} ${each.command}`),
      ['1 up', '5 repair', '6 repair', '7 repair', '8 repair', '9 up', '10 repair'],
    )
  })

  test('keeps none with a length of 0', async () => {
    const record = recorder({ length: 0 })
    await record.during(async () => record.plan(plan(), seen))
    assert.deepEqual(history.read().entries, [])
  })

  test('does not fail an apply that cannot be kept, and says so once', async () => {
    const told: string[] = []
    writeFileSync(join(folder, 'full'), '')
    const of = { host: 'unix:///fake.sock', env: { TSCOMPOSE_STATE: join(folder, 'full') } }
    const record = recorder({ history: new History('shop', of), warn: text => told.push(text) })
    const result = await record.during(async () => {
      record.plan(plan(), seen)
      return 'done'
    })
    assert.equal(result, 'done')
    assert.equal(told.length, 1)
    assert.match(told[0]!, /^this is not kept in the history: Cannot .*ENOTDIR/)
  })

  test('keeps values of variables behind secrets by a hash alone', async () => {
    const secrets = {
      password: {
        key: 'password',
        name: 'shop_password',
        labels: {},
        source: { kind: 'environment', variable: 'PASSWORD', value: 'hunter2' },
      },
    } as const
    const record = recorder({ project: { ...project([service('web')]), secrets } })
    await record.during(async () => record.plan(plan(), seen))
    assert.doesNotMatch(readFileSync(join(files, '1.json'), 'utf8'), /hunter2/)
    assert.match(history.get(1).variables['secrets.password']!, /^[0-9a-f]{8}$/)
  })
})

describe('History', () => {
  test('tells of a torn file and of one that is no apply, and reads the others', async () => {
    for (let i = 0; i < 3; i++) {
      const record = recorder()
      await record.during(async () => record.plan(plan(), seen))
    }
    truncateSync(join(files, '1.json'), 40)
    writeFileSync(join(files, '2.json'), '{"version":1,"number":2}')
    const { entries, damaged } = history.read()
    assert.deepEqual(
      entries.map(each => each.number),
      [3],
    )
    assert.match(damaged[0]!, /1\.json": it is not whole/)
    assert.match(damaged[1]!, /2\.json": it has no good "command"/)
    const record = recorder()
    await record.during(async () => record.plan(plan(), seen))
    assert.equal(history.get(4).number, 4)
  })

  test('says which numbers there are when one is asked for that is not', async () => {
    assert.throws(
      () => history.get(7),
      error => isFailure(error, 'not-found') && error.hint === 'It has none yet',
    )
  })
})
