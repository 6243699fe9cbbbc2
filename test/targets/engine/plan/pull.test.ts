import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AskedPull, planAskedPulls } from '../../../../src/targets/engine/plan/pull.ts'
import { nothing, project, service } from './project.ts'

const build = { context: '/src' } as never
const here = { id: 'sha256:1', labels: {}, volumes: [], healthcheck: false, taggedAt: 0 }

function asked(options: Partial<AskedPull> = {}) {
  const stack = project([
    service('always', { image: 'a:1', pullPolicy: { kind: 'always' } }),
    service('built', { image: 'own:1', build }),
    service('latest', { image: 'l', pullPolicy: { kind: 'missing', said: true } }),
    service('nameless', { image: undefined, build }),
    service('never', { image: 'n:1', pullPolicy: { kind: 'never' } }),
    service('silent', { image: 's:1' }),
    service('stays', { image: 'm:1', pullPolicy: { kind: 'missing', said: true } }),
    service('twice', { image: 's:1' }),
  ])
  const images = new Map(['a:1', 'l', 'n:1', 's:1', 'm:1'].map(name => [name, here]))
  const services = Object.keys(stack.services)
  const { plan, ...rest } = planAskedPulls(stack, { ...nothing(), images }, { services, policy: undefined, ...options })
  const pulls = plan.nodes.map(
    ({ operation }) => `${operation.name} ${'services' in operation ? operation.services : ''}`,
  )
  return { ...rest, pulls }
}

test('planAskedPulls() goes by pull_policy, says what it leaves out, and pulls an image once', () => {
  const { pulls, buildable, skipped } = asked()
  assert.deepEqual(pulls, ['a:1 always', 'l latest', 'own:1 built', 's:1 silent,twice'])
  assert.deepEqual([...buildable], [['own:1', ['built']]])
  assert.deepEqual(skipped, [
    { service: 'nameless', why: 'No image to be pulled' },
    { service: 'never', why: 'pull_policy is never' },
    { service: 'stays', why: 'Image is already present locally' },
    { service: 'twice', why: 'Image is already being pulled by silent' },
  ])
})

test('planAskedPulls() goes by --policy instead', () => {
  assert.deepEqual(asked({ policy: 'always' }).pulls, [
    'a:1 always',
    'l latest',
    'm:1 stays',
    'n:1 never',
    'own:1 built',
    's:1 silent,twice',
  ])
  assert.deepEqual(asked({ policy: 'missing' }).pulls, ['l latest', 'own:1 built'])
})
