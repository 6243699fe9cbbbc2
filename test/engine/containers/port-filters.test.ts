import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineBox } from './engine-box.ts'

test('ports of the filters publish and expose may be ranges', async () => {
  await using box = await EngineBox.open()
  await box.create('web', { ExposedPorts: { '8080/tcp': {}, '53/udp': {} } })
  const found = async (port: string) => (await box.containers.list({ all: true, filters: { expose: [port] } })).length
  assert.deepEqual([await found('8000-8080'), await found('8081-9000/tcp'), await found('50-60/udp')], [1, 0, 1])
  await assert.rejects(found('9-8'), /invalid port specification: "9-8"/)
})
