import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineName } from '../../../src/engine/base/engine-name.ts'

const id = '0123456789abcdef'.repeat(4)

test('EngineName is plain for the engine of the machine, and what it names fits an interface', () => {
  const name = new EngineName('/run/tscompose/', '/run/tscompose')
  assert.deepEqual(
    [name.full, name.cgroup(id), name.sandbox(id), name.bridge(id), name.veth(id)],
    ['tscompose', `tscompose/${id}`, 'tsc-0123456789ab', 'tsc-0123456789a', 'veth0123456789a'],
  )
})

test('EngineName marks all that any other engine makes, whatever its run root is called', () => {
  const name = new EngineName('/tmp/x; flush ruleset', '/run/tscompose')
  assert.match(name.full, /^tscompose_[0-9a-f]{8}$/)
  assert.match(name.short, /^tsc[0-9a-f]{4}$/)
  assert.match(name.sandbox(id), /^tsc[0-9a-f]{4}-0123456789ab$/)
  assert.match(name.bridge(id), /^tsc[0-9a-f]{4}-0123456$/)
  assert.match(name.veth(id), /^v[0-9a-f]{4}0123456789$/)
  assert.equal(new EngineName('/tmp/x', '/run/tscompose').full, new EngineName('/tmp/x/', '/run/tscompose').full)
})

test('a container’s cgroup is below the engine’s, or below a chosen one, and never outside of the hierarchy', () => {
  const name = new EngineName('/run/tscompose', '/run/tscompose')
  assert.equal(name.cgroup('abc'), 'tscompose/abc')
  for (const [parent, path] of [
    ['/own', 'own/abc'],
    ['own/deep/', 'own/deep/abc'],
    ['../../own', 'own/abc'],
    ['/', 'tscompose/abc'],
  ] as const)
    assert.equal(name.cgroup('abc', parent), path)
})
