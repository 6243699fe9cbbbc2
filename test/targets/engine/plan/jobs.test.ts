import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deploy } from '../../../../src/model/deploy.ts'
import { printPlan } from '../../../../src/plan/print.ts'
import { reconcile } from '../../../../src/targets/engine/plan/reconcile.ts'
import { applied, needs, nothing, project, service } from './project.ts'

const deploy = (own: Partial<Deploy>): Deploy => ({
  labels: {},
  placement: { constraints: [], spread: [] },
  devices: [],
  ...own,
})
const job = (replicas: number, parallelism = 0, own: object = {}) =>
  service('job', { replicas, deploy: deploy({ mode: 'replicated-job', update: { parallelism } }), ...own })
const done = { state: 'exited', exitCode: 0 } as const

test('reconcile() leaves a job alone that has done what it was for, and runs it again when it has failed or changed', () => {
  const before = nothing()
  const after = applied(reconcile(project([job(2)]), before), before, c => ({ ...c, ...done }))
  assert.equal(reconcile(project([job(2)]), after).empty, true)
  const failed = { ...after, containers: after.containers.map((c, i) => (i === 0 ? { ...c, exitCode: 3 } : c)) }
  assert.match(
    printPlan(reconcile(project([job(2)]), failed)),
    /^#1 +container shop-job-1 +start-container +it exited with code 3\n$/,
  )
  const changed = printPlan(reconcile(project([job(1, 0, { user: 'b' })]), after))
  assert.match(changed, /create-container/)
  // what runs to its end is not watched for serving
  assert.doesNotMatch(changed, /to be updated/)
})

test('reconcile() starts no more of a job at once than parallelism says: each waits for the end of one before', () => {
  assert.equal(
    printPlan(reconcile(project([job(3, 2)], { networks: {} }), nothing())).replace(/ +/g, ' '),
    `#1 container shop-job-1 create-container no container for replica 1
#2 <1> container shop-job-1 start-container created by #1
#3 container shop-job-2 create-container no container for replica 2
#4 <3> container shop-job-2 start-container created by #3
#5 <2> container shop-job-1 wait-container at most 2 of job at once
#6 container shop-job-3 create-container no container for replica 3
#7 <5,6> container shop-job-3 start-container created by #6
`,
  )
})

test('reconcile() with `wait` waits for the end of a job, and not for one that has ended', () => {
  const plan = printPlan(reconcile(project([job(1)]), nothing(), { wait: true }))
  assert.match(plan, /wait-container +asked for/)
  const after = applied(reconcile(project([job(1)]), nothing()), nothing(), c => ({ ...c, ...done }))
  assert.equal(reconcile(project([job(1)]), after, { wait: true }).empty, true)
})

test('reconcile() finds what needs a job that is done in no need of waiting', () => {
  const stack = project([job(1), service('web', { dependsOn: needs('job', 'completed') })])
  const after = applied(reconcile(stack, nothing()), nothing(), c => (c.service === 'job' ? { ...c, ...done } : c))
  assert.equal(reconcile(stack, after).empty, true)
})
