import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { choosePorts } from '../../src/cli/free-ports.ts'
import { isFailure } from '../../src/lib/failure.ts'
import { portKey } from '../../src/model/isolate.ts'
import type { Port } from '../../src/model/port.ts'
import { project, service } from '../targets/engine/plan/project.ts'

function port(published: string | undefined, own: Partial<Port> = {}): Port {
  const rest = published === undefined ? {} : { published }
  return { target: 80, protocol: 'tcp', mode: 'ingress', path: [], ...rest, ...own }
}

function choose(
  ports: readonly Port[],
  { taken = [], own = [], before = {} }: { taken?: string[]; own?: string[]; before?: Record<string, string> } = {},
) {
  return choosePorts({
    project: project([service('web', { ports })]),
    before,
    own: new Set(own),
    isFree: async ({ protocol }, published) => ![...taken, ...own].includes(`${protocol} ${published}`),
  })
}

const key = portKey('web', port('8080'))

describe('choosePorts()', () => {
  test('leaves a free port, a range and one that the engine chooses as they are', async () => {
    const { ports, moved } = await choose([port('8080'), port('9000-9010'), port(undefined), port('0')])
    assert.deepEqual([ports, moved], [{}, []])
  })

  test('moves a taken port to the next that is free, and says so', async () => {
    const { ports, moved } = await choose([port('8080')], { taken: ['tcp 8080', 'tcp 8081'] })
    assert.deepEqual(ports, { [key]: '8082' })
    assert.deepEqual(moved, [{ service: 'web', from: '8080', to: '8082', protocol: 'tcp' }])
  })

  test('does not take a port twice, nor one that another service of the stack wants for itself', async () => {
    const { moved } = await choose([port('8080'), port('8081'), port('8080', { hostIp: '127.0.0.1' })], {
      taken: ['tcp 8080'],
    })
    assert.deepEqual(
      moved.map(each => each.to),
      ['8082', '8083'],
    )
  })

  test('takes a udp port for another than the tcp port of that number', async () => {
    const { moved } = await choose([port('53', { protocol: 'udp' })], { taken: ['tcp 53'] })
    assert.deepEqual(moved, [])
  })

  test('keeps the port it has, which it holds itself', async () => {
    const given = { taken: ['tcp 8080'], own: ['tcp 8085'], before: { [key]: '8085' } }
    assert.deepEqual((await choose([port('8080')], given)).ports, { [key]: '8085' })
  })

  test('keeps the port it had while it was down, unless somebody took it', async () => {
    const before = { [key]: '8085' }
    assert.deepEqual((await choose([port('8080')], { before })).ports, { [key]: '8085' })
    const taken = ['tcp 8080', 'tcp 8085']
    assert.deepEqual((await choose([port('8080')], { before, taken })).ports, { [key]: '8081' })
  })

  test('ends with a failure when there is none', async () => {
    await assert.rejects(
      choose([port('65535')], { taken: ['tcp 65535'] }),
      error => isFailure(error, 'conflict') && /65535/.test(error.message),
    )
  })
})
