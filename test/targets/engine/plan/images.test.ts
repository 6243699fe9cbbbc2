import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildsDue } from '../../../../src/targets/engine/plan/builds.ts'
import { planPull } from '../../../../src/targets/engine/plan/images.ts'
import { nothing, project, service } from './project.ts'

const always = project([service('web', { image: 'busybox', pullPolicy: { kind: 'always' } })])
const none = { ...nothing(), images: new Map() }
const names = (plan: ReturnType<typeof planPull>) => plan.nodes.map(({ operation }) => operation.name)

test('planPull() of whoever repairs takes an image that is here as it is, whatever its pull_policy, and one that is not is pulled', () => {
  const images = new Map([['busybox', { id: 'sha256:1', labels: {}, volumes: [], healthcheck: false, taggedAt: 0 }]])
  const observed = { ...nothing(), images }
  assert.deepEqual(names(planPull(always, observed, { missing: true })), ['busybox'])
  assert.deepEqual(names(planPull(always, observed, { missing: true, missingOnly: true })), [])
  assert.deepEqual(names(planPull(always, none, { missing: true, missingOnly: true })), ['busybox'])
})

test('buildsDue() builds by pull_policy when somebody asks, and only what is absent otherwise', () => {
  const build = { context: '/src' } as never
  const built = project([service('web', { image: 'own', build, pullPolicy: { kind: 'build' } })])
  const images = new Map([['own', { id: 'sha256:1', labels: {}, volumes: [], healthcheck: false, taggedAt: 0 }]])
  const observed = { ...nothing(), images }
  assert.deepEqual([...buildsDue(built, observed, { when: 'missing' })], [['web', 'pull_policy is build']])
  assert.deepEqual([...buildsDue(built, observed, { when: 'absent' })], [])
  assert.deepEqual([...buildsDue(built, none, { when: 'absent' })], [['web', 'not present']])
})
