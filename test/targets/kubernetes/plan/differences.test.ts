import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Live } from '../../../../src/targets/kubernetes/live.ts'
import type { JsonMap, Manifest } from '../../../../src/targets/kubernetes/manifest.ts'
import { differences } from '../../../../src/targets/kubernetes/plan/differences.ts'
import { fieldsOf } from '../fake-apply.ts'

const object = (spec: object): Manifest => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'a', namespace: 'n', labels: {} },
  spec: spec as JsonMap,
})

/** What differs, where `said` was applied by us, `others` by others, and `has` is there. */
function found(
  wanted: object,
  has: object,
  { said = has, others = {} }: { readonly said?: object; readonly others?: Readonly<Record<string, object>> } = {},
) {
  const managed = [
    { manager: 'tscompose', operation: 'Apply', fieldsV1: fieldsOf(object(said) as unknown as JsonMap) },
    ...Object.entries(others).map(([manager, spec]) => ({
      manager,
      operation: 'Update',
      fieldsV1: fieldsOf({ spec } as unknown as JsonMap),
    })),
  ]
  const live = { ...object(has), metadata: { name: 'a', labels: {}, managedFields: managed } } as unknown as Live
  return differences(object(wanted), live).map(
    ({ path, from, to, by }) =>
      `${path.slice(1).join('.')} ${JSON.stringify(from)}→${JSON.stringify(to)}${by === undefined ? '' : ` by ${by}`}`,
  )
}

describe('an object differs from what is wanted', () => {
  const web = (more: object) => ({ containers: [{ name: 'web', ...more }] })

  test('not by what the cluster fills in, nor by what others add', () => {
    assert.deepEqual(
      found(
        web({ image: 'a' }),
        { containers: [{ name: 'web', image: 'a', resources: {} }, { name: 'injected' }], dnsPolicy: 'x' },
        { said: web({ image: 'a' }) },
      ),
      [],
    )
  })

  test('by a value, in lists by the keys of their entries', () => {
    assert.deepEqual(found(web({ image: 'b' }), web({ image: 'a' })), ['containers.web.image "a"→"b"'])
    const port = (hostPort: number) => web({ ports: [{ containerPort: 80, protocol: 'TCP', hostPort }] })
    assert.deepEqual(found(port(2), port(1)), ['containers.web.ports.80/TCP.hostPort 1→2'])
    assert.deepEqual(found(web({ args: ['a', 'c'] }), web({ args: ['a', 'b'] })), [
      'containers.web.args ["a","b"]→["a","c"]',
    ])
  })

  test('by what we have said and say no more, told once', () => {
    const env = [{ name: 'A', value: '1' }]
    assert.deepEqual(found(web({}), web({ env })), ['containers.web.env [{"name":"A","value":"1"}]→undefined'])
    assert.deepEqual(found(web({ env }), web({ env: [...env, { name: 'B', value: '2' }] })), [
      'containers.web.env.B {"name":"B","value":"2"}→undefined',
    ])
    // what we have never said is not ours to take away
    assert.deepEqual(found(web({}), web({ env }), { said: web({}) }), [])
  })

  test('by members of a map that is one thing', () => {
    assert.deepEqual(found({ nodeSelector: { a: '1' } }, { nodeSelector: { a: '1', b: '2' } }), [
      'nodeSelector.b "2"→undefined',
    ])
  })

  test('by what somebody else has last said, who is named', () => {
    assert.deepEqual(
      found({ replicas: 2 }, { replicas: 5 }, { said: {}, others: { 'kubectl-scale': { replicas: 5 } } }),
      ['replicas 5→2 by kubectl-scale'],
    )
    assert.deepEqual(
      found(
        { nodeSelector: { a: '1' } },
        { nodeSelector: { a: '2' } },
        { said: {}, others: { ed: { nodeSelector: { a: '2' } } } },
      ),
      ['nodeSelector.a "2"→"1" by ed'],
    )
  })

  test('by a list that is one thing when any of it does', () => {
    const rules = (port: number) => ({ ingress: [{ ports: [{ protocol: 'TCP', port }] }] })
    assert.equal(found(rules(1), rules(2)).length, 1)
    assert.deepEqual(found(rules(1), rules(1)), [])
  })
})
