/** Containers whose log is sent to a server, over the fake runtime: when it is looked for, and what is told. */
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { test } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { freePort } from '../../support/free-port.ts'
import { streamServer } from '../../support/log-servers.ts'
import { EngineBox } from './engine-box.ts'

const gelf = (port: number) => ({
  LogConfig: { Type: 'gelf', Config: { 'gelf-address': `tcp://127.0.0.1:${port}` } },
})

/** What the monitor would write. */
function write(box: EngineBox, id: string, text: string): void {
  const record = { log: `${text}\n`, stream: 'stdout', time: '2026-01-01T00:00:00Z' }
  appendFileSync(box.containers.parts.paths.containerLog(id), `${JSON.stringify(record)}\n`)
}

test('a start that somebody asks for fails when nobody takes the log, and leaves nothing', async () => {
  await using box = await EngineBox.open()
  const id = await box.create('web', { HostConfig: gelf(await freePort()) })
  await assert.rejects(box.containers.start(id), {
    kind: 'internal',
    message: /^failed to create task for container: failed to initialize logging driver: Cannot connect to "tcp:/,
  })
  const { State } = await box.containers.inspect(id)
  assert.deepEqual([State.Status, box.runtime.processes.length], ['created', 0])
  assert.match(State.Error, /failed to initialize logging driver/)
})

test('a restart by policy, and a start with the engine, wait for no server; it gets later what it missed', async () => {
  await using box = await EngineBox.open()
  const before = await streamServer()
  const { port } = before
  const HostConfig = { ...gelf(port), RestartPolicy: { Name: 'always' } }
  const id = await box.run('web', { HostConfig })
  await before[Symbol.asyncDispose]()
  box.runtime.processes.at(-1)!.end(1)
  await eventually(
    'the restart',
    () => box.containers.get(id).state.restartCount === 1 && box.containers.get(id).running,
  )
  write(box, id, 'missed')
  box.runtime.processes.at(-1)!.end(1)
  await eventually(
    'the second restart',
    () => box.containers.get(id).state.restartCount === 2 && box.containers.get(id).running,
  )
  await using after = await streamServer({ port })
  await eventually('what it missed', () => after.received.length > 0)
  assert.equal(JSON.parse(String(after.received[0]).split('\0')[0]!).short_message, 'missed')
})

test('inspect and logs: no path of a log that is sent, no log where none is kept', async () => {
  await using box = await EngineBox.open()
  await using server = await streamServer()
  const { LogConfig } = gelf(server.port)
  const Config = { ...LogConfig.Config, 'cache-disabled': '1' }
  const id = await box.run('web', { HostConfig: { LogConfig: { ...LogConfig, Config } } })
  const { HostConfig, LogPath } = await box.containers.inspect(id)
  assert.deepEqual([HostConfig.LogConfig, LogPath], [{ Type: 'gelf', Config }, ''])
  const { signal } = new AbortController()
  await assert.rejects(box.containers.logs(id, { stdout: true, stderr: true, signal }), {
    kind: 'unsupported',
    message: 'configured logging driver does not support reading',
  })
})
