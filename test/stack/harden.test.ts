import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { audit } from '../../src/audit/audit.ts'
import { at, load, problems } from './stacks.ts'

const service = async (fields: string, head = '') => {
  const { project } = await load(`${head}services:\n  web:\n    image: x\n${fields.replace(/^(?=.)/gm, '    ')}\n`)
  return project.services['web']!
}

describe('x-security: hardened', () => {
  test('puts up every wall that the service has not spoken of, where the word stands', async () => {
    const { project } = await load('services:\n  web:\n    image: x\n    x-security: hardened\n    ports: ["80:80"]\n')
    const web = project.services['web']!
    assert.deepEqual(web.capDrop, ['ALL'])
    assert.deepEqual(web.securityOpt, ['no-new-privileges:true'])
    assert.equal(web.readOnly, true)
    assert.equal(web.limits.pids, 512)
    assert.deepEqual(
      web.mounts.map(mount => [mount.kind, mount.target]),
      [
        ['tmpfs', '/tmp'],
        ['tmpfs', '/run'],
      ],
    )
    assert.equal(web.ports[0]?.hostIp, '127.0.0.1')
    assert.equal(project.place(['services', 'web', 'read_only'])?.line, 4)
    assert.deepEqual(
      audit(project).map(({ rule }) => rule),
      ['no-limit'],
    )
  })

  test('leaves what the service says of them', async () => {
    const web = await service(`x-security: hardened
cap_add: [CHOWN]
cap_drop: [cap_all]
security_opt: ["no-new-privileges=false", "label:disable"]
read_only: false
pids_limit: 5
ports: ["0.0.0.0:80:80", "81"]`)
    assert.deepEqual([web.capAdd, web.capDrop], [['CHOWN'], ['cap_all']])
    assert.deepEqual(web.securityOpt, ['no-new-privileges=false', 'label:disable'])
    assert.deepEqual([web.readOnly, web.limits.pids, web.mounts], [false, 5, []])
    assert.deepEqual(
      web.ports.map(port => port.hostIp),
      ['0.0.0.0', '127.0.0.1'],
    )
  })

  test('adds to lists that are there, and no folder that is mounted already', async () => {
    const web = await service(
      `x-security: hardened
cap_drop: [NET_RAW]
security_opt: ["label:disable"]
deploy: { resources: { limits: { pids: 7 } } }
tmpfs: ["/run:size=1m", "/cache"]
volumes: ["tmp:/tmp/"]`,
      'volumes: { tmp: {} }\n',
    )
    assert.deepEqual(web.capDrop, ['NET_RAW', 'ALL'])
    assert.deepEqual(web.securityOpt, ['label:disable', 'no-new-privileges:true'])
    assert.equal(web.limits.pids, 7)
    assert.deepEqual(web.mounts.map(mount => mount.target.replace(/\/$/, '')).sort(), ['/cache', '/run', '/tmp'])
  })

  test('of the stack is that of every service that does not choose', async () => {
    const { project } = await load(`x-security: hardened
services:
  a: { image: x }
  b: { image: x, x-security: default }
  c: { image: x, profiles: [later] }
`)
    assert.deepEqual(
      [project.services['a'], project.services['b'], project.disabledServices['c']].map(each => each?.readOnly),
      [true, false, true],
    )
  })

  test('refuses a word it does not know, and a service without walls, with their places', async () => {
    const [unknown] = await problems('services:\n  a:\n    image: x\n    x-security: strong\n')
    assert.equal(unknown?.message, 'Cannot use "strong" as "x-security": it should be hardened or default')
    assert.match(at(unknown), /:4:17$/)
    const [clash] = await problems('x-security: hardened\nservices:\n  a:\n    image: x\n    privileged: true\n')
    assert.match(clash?.message ?? '', /Cannot harden service "a"/)
    assert.match(at(clash), /:5:5$/)
  })
})
