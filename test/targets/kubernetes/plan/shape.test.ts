import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Manifest } from '../../../../src/targets/kubernetes/manifest.ts'
import { shapeOf } from '../../../../src/targets/kubernetes/plan/shape.ts'
import { madeOf, objectOf } from '../inputs.ts'

/** Of the object that a service becomes. */
const shape = async (text: string, key = 'Deployment a') =>
  shapeOf(objectOf(await madeOf(`services:\n  a: {image: "busybox", ${text}}`), key) as Manifest, undefined)
const same = async (one: string, other: string) => assert.equal(await shape(one), await shape(other))
const differ = async (one: string, other: string) => assert.notEqual(await shape(one), await shape(other))

test('writes that differ in names, numbers and text alone are of one shape', async () => {
  await same('command: a b', 'command: [anything, at, "all"]')
  await same('environment: {A: "1"}', 'environment: {OTHER_b: "x y", A: ""}')
  await same('hostname: one', 'hostname: other-2')
  await same('cpus: 0.5, mem_limit: 64m', 'cpus: 2, mem_limit: 1g')
  await same('deploy: {replicas: 2}', 'deploy: {replicas: 30}')
  await same('tmpfs: [/a]', 'tmpfs: [/b, /c/d]')
  await same('labels: {a.b/c: "x"}', 'labels: {a.b/d: "y z"}')
})

test('a field more, a word of the API and a value of another sort are another shape', async () => {
  await differ('command: a', 'entrypoint: a')
  await differ('stop_signal: SIGINT', 'stop_signal: SIGFOO')
  await differ('hostname: one', 'hostname: No_Name')
  await differ(`hostname: one`, `hostname: ${'a'.repeat(64)}`)
  await differ('environment: {A: "1"}', 'environment: {"A-B": "1"}')
  await differ('environment: {A: "1"}', 'environment: {"A=B": "1"}')
  await differ('deploy: {replicas: 0}', 'deploy: {replicas: 2}')
  await differ('user: "1000"', 'user: "70000"')
  await differ('cap_add: [NET_ADMIN]', 'cap_add: [SYS_TIME]')
  await differ('read_only: true', 'read_only: false')
  const of = (image: string) =>
    madeOf(`services:\n  a: {image: "${image}"}`).then(made =>
      shapeOf(objectOf(made, 'Deployment a') as Manifest, undefined),
    )
  assert.notEqual(await of('one.example/a'), await of('other.example/a'))
  assert.equal(await of('one.example/a'), await of('one.example/b@sha256:0'.padEnd(83, '0')))
})
