import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { load, problems } from './stacks.ts'

const service = async (fields: string) =>
  (await load(`services:\n  job:\n    image: x\n    ${fields}\n`)).project.services['job']!
const said = async (fields: string) => problems(`services:\n  job:\n    image: x\n    ${fields}\n`)

describe('x-schedule', () => {
  test('is a cron text, or a map, and such a service has no replicas', async () => {
    const usual = { concurrency: 'forbid', missed: 'skip', history: 10 }
    assert.deepEqual((await service('x-schedule: "*/5 * * * *"')).schedule, { cron: '*/5 * * * *', ...usual })
    const whole = await service(
      'x-schedule: {cron: "@daily", timezone: Europe/Berlin, concurrency: replace, missed: run, history: 3}',
    )
    assert.deepEqual(whole.schedule, {
      cron: '@daily',
      timezone: 'Europe/Berlin',
      concurrency: 'replace',
      missed: 'run',
      history: 3,
    })
    assert.equal(whole.replicas, 0)
    assert.equal((await service('restart: always')).schedule, undefined)
  })

  for (const [fields, message] of [
    ['x-schedule: "nonsense"', /Cannot schedule service "job": "nonsense" is no cron text/],
    ['x-schedule: "0 0 30 2 *"', /"0 0 30 2 \*" never comes/],
    ['x-schedule: {cron: "@daily", timezone: Mars/Olympus}', /"Mars\/Olympus" is no time zone/],
    ['x-schedule: [1]', /Cannot use "x-schedule" of service "job": it should be a cron text, or a map with "cron"/],
    ['x-schedule: {timezone: UTC}', /"cron" is missing/],
    [
      'x-schedule: {cron: "@daily", policy: x}',
      /Cannot use "x-schedule.policy" of service "job": there is no such key/,
    ],
    [
      'x-schedule: {cron: "@daily", concurrency: never}',
      /"x-schedule.concurrency".*it should be forbid, allow or replace/,
    ],
    ['x-schedule: {cron: "@daily", history: -1}', /"x-schedule.history".*it should be a number from 0 to 366/],
    ['x-expose: Door', /Cannot use "x-expose" of service "job": it should be LoadBalancer or NodePort/],
    ['x-host-path: maybe', /Cannot use "x-host-path" of service "job": it should be true or false/],
    ['x-on-unhealthy: explode', /Cannot use "x-on-unhealthy" of service "job": it should be none, restart or stop/],
  ] as const)
    test(`an author is told of ${fields}, with its place`, async () => {
      const found = await said(fields)
      assert.match(JSON.stringify(found.map(each => each.message)).replaceAll('\\"', '"'), message)
      assert.equal(found[0]?.place?.line, 4)
    })
})

test('x-on-unhealthy says what becomes of a container', async () => {
  assert.equal((await service('x-on-unhealthy: restart')).onUnhealthy, 'restart')
  assert.equal((await service('restart: always')).onUnhealthy, undefined)
})

test('x-expose and x-host-path say what a cluster makes of ports and binds', async () => {
  const said = await service('x-expose: NodePort\n    x-host-path: true')
  assert.deepEqual([said.exposure, said.hostPaths], ['NodePort', true])
  const silent = await service('x-host-path: false')
  assert.deepEqual([silent.exposure, silent.hostPaths], [undefined, undefined])
})

test('what is of the whole stack is not passed over in a service', async () => {
  const { warnings } = await load(
    'services:\n  web:\n    image: x\n    x-userns: auto\n    x-mine: 1\n    x-target: swarm\n',
  )
  assert.deepEqual(
    warnings.map(({ place, message, hint }) => [place?.line, message, hint]),
    [
      [6, '"x-target" of service "web" changes nothing: it belongs to the whole stack', undefined],
      [
        4,
        '"x-userns" of service "web" changes nothing: it belongs to the whole stack',
        'Write "userns_mode" in the service',
      ],
    ],
  )
  assert.deepEqual((await load('x-userns: private\nx-target: engine\nservices: {web: {image: x}}\n')).warnings, [])
})
