import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeQuantity } from '../../../../src/targets/kubernetes/objects/quantities.ts'

test('an amount is written as a cluster gives it back', () => {
  const written = ['1Gi', '1024Mi', '1.5Gi', '1000M', '1500k', '2048', '1000', '0', '1e3', '0.5', 'much', '1.5']
  assert.deepEqual(written.map(wholeQuantity), [
    '1Gi',
    '1Gi',
    '1536Mi',
    '1G',
    '1500k',
    '2048',
    '1k',
    '0',
    '1e3',
    '0.5',
    'much',
    '1.5',
  ])
})
