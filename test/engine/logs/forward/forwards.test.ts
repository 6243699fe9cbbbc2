import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Forwards, type ForwardTarget } from '../../../../src/engine/logs/forward/forwards.ts'
import { eventually } from '../../../support/eventually.ts'
import { type LogServer, streamServer } from '../../../support/log-servers.ts'
import { temporaryFolder } from '../../../support/temporary-paths.ts'

interface World {
  readonly forwards: Forwards
  readonly target: ForwardTarget
  readonly said: string[]
  write(...texts: readonly string[]): void
}

function world(t: TestContext, address: string): World {
  const folder = temporaryFolder(t)
  const said: string[] = []
  const forwards = new Forwards(text => said.push(text))
  t.after(() => forwards.close())
  const logPath = join(folder, 'c-json.log')
  const write = (...texts: readonly string[]) =>
    writeFileSync(
      logPath,
      texts
        .map(text => `${JSON.stringify({ log: `${text}\n`, stream: 'stdout', time: '2026-01-01T00:00:00Z' })}\n`)
        .join(''),
      { flag: 'a' },
    )
  const info = {
    id: 'c',
    name: 'web',
    imageId: 'sha256:1',
    imageName: 'i',
    created: '',
    path: '',
    args: [],
    env: [],
    labels: {},
    hostname: 'vm',
    logPath,
    options: { 'syslog-address': address, 'syslog-format': 'rfc3164', tag: 'x' },
  }
  return { forwards, said, write, target: { driver: 'syslog', info, position: join(folder, 'forward.json') } }
}

const lines = ({ received }: LogServer) =>
  [
    ...Buffer.concat(received)
      .toString()
      .matchAll(/(?<=: ).*/g),
  ].map(([text]) => text)

test('the removal of a container waits until its last lines are sent', async t => {
  await using server = await streamServer()
  const { forwards, target, write, said } = world(t, `tcp://127.0.0.1:${server.port}`)
  write('a', 'b')
  forwards.begin(target, { ended: Promise.resolve(), sender: await forwards.connect(target) })
  await forwards.removed('c')
  await eventually('both lines', () => lines(server).length === 2)
  assert.deepEqual([lines(server), said], [['a', 'b'], []])
})

test('the removal of a container does not wait for a server that is not there, and tells what that means', async t => {
  const server = await streamServer()
  const { forwards, target, write, said } = world(t, `tcp://127.0.0.1:${server.port}`)
  await server[Symbol.asyncDispose]()
  write('a')
  forwards.begin(target, { ended: Promise.resolve() })
  await eventually('the failure', () => said.length > 0)
  await forwards.removed('c')
  assert.equal(said[1], 'The log of "web" is removed before all of it was sent')
})

test('a run that begins before the one before is sent goes on behind it, and nothing is sent twice', async t => {
  await using server = await streamServer()
  const { forwards, target, write } = world(t, `tcp://127.0.0.1:${server.port}`)
  write('a')
  const first = Promise.withResolvers<void>()
  forwards.begin(target, { ended: first.promise })
  await eventually('the first line', () => lines(server).length === 1)
  write('b')
  const second = Promise.withResolvers<void>()
  forwards.begin(target, { ended: second.promise })
  write('c')
  await eventually('all lines', () => lines(server).length >= 3)
  second.resolve()
  await forwards.removed('c')
  assert.deepEqual(lines(server), ['a', 'b', 'c'])
})
