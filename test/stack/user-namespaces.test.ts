import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { at, load, problems } from './stacks.ts'

describe('x-userns', () => {
  test('is the userns_mode of every service that says nothing, also where the host is asked for', async () => {
    const { project } = await load(`x-userns: auto
services:
  a: { image: x }
  b: { image: x, userns_mode: host, privileged: true }
  c: { image: x, userns_mode: 'service:a' }
  d: { image: x, profiles: [later] }
`)
    const { services, disabledServices } = project
    assert.deepEqual(
      [services['a'], services['b'], services['c'], disabledServices['d']].map(each => each?.usernsMode),
      [
        { kind: 'other', value: 'auto' },
        { kind: 'host' },
        { kind: 'service', service: 'a' },
        { kind: 'other', value: 'auto' },
      ],
    )
    assert.deepEqual(Object.keys(services['c']!.dependsOn), ['a'])
    assert.equal(project.place(['services', 'a', 'userns_mode'])?.line, 1)
  })

  test('refuses a word it does not know, and services that need the host’s, with their places', async () => {
    const [unknown] = await problems('x-userns: yes\nservices:\n  a:\n    image: x\n')
    assert.match(unknown?.message ?? '', /^Cannot use .* as "x-userns": it should be auto, private or host$/)
    assert.match(at(unknown), /:1:11$/)
    for (const [line, key] of [
      ['privileged: true', 'privileged'],
      ['network_mode: host', 'network_mode'],
      ['pid: host', 'pid'],
    ]) {
      const [clash] = await problems(`x-userns: auto\nservices:\n  a:\n    image: x\n    ${line}\n`)
      assert.equal(clash?.message, `Cannot give service "a" a user namespace: "${key}" needs that of the host`)
      assert.match(at(clash), /:5:5$/)
      assert.equal(clash?.hint, 'Write "userns_mode: host" in the service')
    }
  })
})
