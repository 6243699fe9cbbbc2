import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { JobRun } from '../../src/api/keeper.ts'
import { JobHistory } from '../../src/keeper/job-history.ts'
import { Jobs, lastBetween } from '../../src/keeper/jobs.ts'
import { Failure } from '../../src/lib/failure.ts'
import type { Schedule } from '../../src/model/schedule.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClient, type Handler } from '../targets/engine/fake-client.ts'
import { project, service } from '../targets/engine/plan/project.ts'

const daily: Schedule = { cron: '0 3 * * *', timezone: 'UTC', concurrency: 'forbid', missed: 'skip', history: 3 }
const at = (text: string) => Date.parse(text)

describe('lastBetween()', () => {
  test('tells the last time that was due, and nothing when none was', () => {
    const last = lastBetween(daily, at('2026-01-01T00:00:00Z'), at('2026-01-05T12:00:00Z'))
    assert.equal(last?.toISOString(), '2026-01-05T03:00:00.000Z')
    assert.equal(lastBetween(daily, at('2026-01-05T03:00:00Z'), at('2026-01-05T12:00:00Z')), undefined)
  })

  test('reads the schedule in its own time zone', () => {
    const last = lastBetween({ ...daily, timezone: 'Asia/Tokyo' }, 0, at('2026-01-05T12:00:00Z'))
    assert.equal(last?.toISOString(), '2026-01-04T18:00:00.000Z')
  })
})

describe('JobHistory and Jobs', () => {
  let folder: string
  const open: Jobs[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tscompose-jobs-'))
  })
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const said: string[] = []
  const history = () => new JobHistory(folder, line => said.push(line))
  const run = (Id: string, Due: string, Outcome: JobRun['Outcome']): JobRun => ({ Id, Due, By: 'schedule', Outcome })

  test('keep the newest runs, and every one that goes on, over a restart', () => {
    const runs = history()
    runs.put('job', run('a', '2026-01-01T00:00:00Z', 'running'), 2)
    for (const [id, due] of [
      ['b', '2'],
      ['c', '3'],
      ['d', '4'],
    ] as const)
      runs.put('job', run(id, `2026-01-0${due}T00:00:00Z`, 'done'), 2)
    const ids = (of: JobHistory) => of.of('job').map(({ Id }) => Id)
    assert.deepEqual(ids(runs), ['d', 'c', 'a'])
    assert.deepEqual(ids(history()), ['d', 'c', 'a'])
    runs.put('job', run('a', '2026-01-01T00:00:00Z', 'done'), 2)
    assert.deepEqual(ids(history()), ['d', 'c'])
  })

  test('keep what began last in front of what was due at the same moment, whatever is told of either', () => {
    const runs = history()
    const Due = new Date(0).toISOString()
    const order = () => runs.of('job').map(({ Id }) => Id)
    for (const Id of ['1', '2', '3']) runs.put('job', { Id, Due, By: 'person', Outcome: 'running' }, 9)
    assert.deepEqual(order(), ['3', '2', '1'])
    for (const Id of ['2', '1', '3', '1']) {
      runs.put('job', { Id, Due, By: 'person', Outcome: 'done' }, 9)
      assert.deepEqual(order(), ['3', '2', '1'])
    }
  })

  test('begin anew when what was kept is damaged, and say so', () => {
    writeFileSync(join(folder, 'jobs.json'), '{')
    assert.deepEqual(history().of('job'), [])
    assert.match(said.join('\n'), /jobs\.json/)
  })

  /** An engine whose containers end when they are told to; `slowly`: some time later. */
  function engine(slowly: boolean) {
    const ends = new Map<string, (code: number) => void>()
    const handlers: Record<string, Handler> = {
      containerList: () => [],
      networkList: () => [],
      volumeList: () => ({ Volumes: [] }),
      imageInspect: () => ({ Id: 'sha256:1' }),
      networkCreate: () => ({ Id: 'n' }),
      containerCreate: ({ query }) => ({ Id: query!['name'], Warnings: [] }),
      containerStart: () => undefined,
      containerStop: ({ params }) => (slowly ? undefined : ends.get(params!['id']!)?.(143)),
      containerRemove: () => undefined,
      containerLogs: () => (async function* () {})(),
      containerWait: ({ params }, signal) =>
        (async function* () {
          const code = await new Promise<number>((resolve, reject) => {
            ends.set(params!['id']!, resolve)
            signal?.addEventListener('abort', () => reject(new Failure('cancelled', 'closed')))
          })
          yield { StatusCode: code }
        })(),
    }
    return { client: new FakeClient(handlers), ends }
  }

  const make = (schedule: Schedule, since: number, { slowly = false } = {}) => {
    const { client, ends } = engine(slowly)
    const runs = history()
    const jobs = new Jobs(project([service('job', { schedule, replicas: 0 })]), {
      client,
      history: runs,
      since,
      say: () => {},
    })
    open.push(jobs)
    const outcomes = () => runs.of('job').map(({ Outcome }) => Outcome)
    const end = (code: number) => {
      for (const each of ends.values()) each(code)
    }
    return { jobs, outcomes, end, ends, runs }
  }

  test('leave out what was missed, or make up for it once, as the schedule says', async () => {
    const since = Date.now() - 3 * 24 * 3600_000
    const skipped = make(daily, since)
    skipped.jobs.start()
    assert.deepEqual(skipped.outcomes(), ['missed'])
    rmSync(join(folder, 'jobs.json'))
    const madeUp = make({ ...daily, missed: 'run' }, since)
    madeUp.jobs.start()
    assert.deepEqual(madeUp.outcomes(), ['running'])
    assert.equal(madeUp.runs.of('job')[0]?.By, 'missed')
    await eventually('its start', () => madeUp.ends.size === 1)
    madeUp.end(0)
    await eventually('its end', () => madeUp.outcomes()[0] === 'done')
  })

  for (const [concurrency, expected] of [
    ['forbid', ['running', 'skipped']],
    ['allow', ['running', 'running']],
  ] as const)
    test(`${concurrency} while the run before goes on`, async () => {
      const { jobs, outcomes, end, ends } = make({ ...daily, concurrency }, Date.now())
      jobs.runNow('job')
      await eventually('its start', () => ends.size === 1)
      jobs.runNow('job')
      assert.deepEqual([...outcomes()].sort(), expected)
      await eventually('their start', () => ends.size === expected.filter(each => each === 'running').length)
      end(0)
      await eventually('their end', () => !outcomes().includes('running'))
    })

  test('replace ends the run before', async () => {
    const { jobs, outcomes, end, ends } = make({ ...daily, concurrency: 'replace' }, Date.now())
    jobs.runNow('job')
    await eventually('its start', () => ends.size === 1)
    jobs.runNow('job')
    await eventually('the next', () => ends.size === 2)
    assert.deepEqual([...outcomes()].sort(), ['replaced', 'running'])
    end(1)
    await eventually('its end', () => outcomes().includes('failed'))
  })

  test('replace begins none that was replaced while it waited for the end of the one before', async () => {
    const { jobs, outcomes, end, ends } = make({ ...daily, concurrency: 'replace', history: 9 }, Date.now(), {
      slowly: true,
    })
    jobs.runNow('job')
    await eventually('its start', () => ends.size === 1)
    for (let times = 0; times < 3; times++) jobs.runNow('job')
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(ends.size, 1, 'it ends slowly')
    end(143)
    await eventually('the last', () => ends.size === 2)
    assert.deepEqual([...outcomes()].sort(), ['replaced', 'replaced', 'replaced', 'running'])
    assert.equal(outcomes()[0], 'running')
    end(0)
    await eventually('its end', () => outcomes()[0] === 'done')
  })
})
