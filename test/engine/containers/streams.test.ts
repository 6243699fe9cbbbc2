import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure, isFailure } from '../../../src/lib/failure.ts'
import { EngineBox } from './engine-box.ts'

const all = { stream: true, stdin: true, stdout: true, stderr: true, logs: false }

async function read(output: AsyncIterable<{ stream: string; data: Uint8Array }>): Promise<string[]> {
  const pieces: string[] = []
  for await (const { stream, data } of output) pieces.push(`${stream}: ${Buffer.from(data).toString()}`)
  return pieces
}

test('a client attached before the start gets every byte and its input reaches the process', async () => {
  await using box = await EngineBox.open()
  await box.create('web', { OpenStdin: true, StdinOnce: true })
  const session = await box.containers.attach('web', all)
  const written = session.write(Buffer.from('early'))
  session.end()
  box.runtime.onStart = process => {
    assert.deepEqual(process.spec.stdio.attach, { stdin: true, stdout: true, stderr: true })
    process.write('first\n')
    process.write('second\n', 'stderr')
  }
  const output = read(session.output)
  await box.containers.start('web')
  await written
  box.runtime.last.end(0)
  assert.deepEqual(await output, ['stdout: first\n', 'stderr: second\n'])
  assert.deepEqual(box.runtime.last.input, ['early'])
  assert.equal(box.runtime.last.inputEnded, true)
})

test('two clients attached before the start both get every byte', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  const sessions = await Promise.all([1, 2].map(() => box.containers.attach('web', { ...all, stdin: false })))
  const outputs = sessions.map(({ output }) => read(output))
  await box.containers.start('web')
  box.runtime.last.write('one')
  box.runtime.last.write('two')
  box.runtime.last.end(0)
  for (const output of outputs) assert.deepEqual(await output, ['stdout: one', 'stdout: two'])
})

test('a session that waits ends when the start fails or the container is removed', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  const { output } = await box.containers.attach('web', { ...all, stdin: false })
  await box.containers.remove('web')
  assert.deepEqual(await read(output), [])
})

test('attach asks for more than standard input, and not of a paused container', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  await assert.rejects(
    box.containers.attach('web', { ...all, stdout: false, stderr: false }),
    error => isFailure(error, 'invalid') && error.hint !== undefined,
  )
  await box.containers.pause('web')
  await assert.rejects(box.containers.attach('web', all), error => isFailure(error, 'conflict'))
})

test('detach keys end a session with a terminal and are not passed on', async () => {
  await using box = await EngineBox.open()
  await box.run('web', { Tty: true, OpenStdin: true })
  const session = await box.containers.attach('web', { ...all, detachKeys: 'ctrl-p,ctrl-q' })
  await session.write(Buffer.from('a\x10b'))
  await session.write(Buffer.from('\x10\x11'))
  assert.deepEqual(await read(session.output), [])
  assert.deepEqual(box.runtime.last.input, ['a\x10b'])
  assert.equal(box.containers.get('web').running, true)
})

test('exec runs in the container with its environment and tells its exit code', async () => {
  await using box = await EngineBox.open()
  await box.run('web', { Env: ['A=1'] })
  const { Id } = await box.engine.execs.create('web', {
    Cmd: ['sh', '-c', 'exit 3'],
    AttachStdout: true,
    Env: ['B=2'],
    User: 'app',
  })
  assert.deepEqual([box.engine.execs.inspect(Id).Running, box.engine.execs.inspect(Id).ExitCode], [false, null])
  const session = await box.engine.execs.start(Id)
  const exec = box.runtime.last
  assert.ok(exec.spec.process.env.includes('A=1') && exec.spec.process.env.includes('B=2'))
  assert.equal(exec.spec.process.user.uid, 1000)
  exec.write('out')
  exec.end(3)
  assert.deepEqual(await read(session!.output), ['stdout: out'])
  await exec.exited
  const { ExitCode, ProcessConfig } = box.engine.execs.inspect(Id)
  assert.deepEqual([ExitCode, ProcessConfig.entrypoint, ProcessConfig.arguments], [3, 'sh', ['-c', 'exit 3']])
  await assert.rejects(box.engine.execs.start(Id), error => isFailure(error, 'conflict'))
})

test('exec refuses a container that does not run, an unknown user and an unknown exec, in the words of Docker', async () => {
  await using box = await EngineBox.open()
  const id = await box.create('web')
  await assert.rejects(box.engine.execs.create('web', { Cmd: ['true'] }), {
    kind: 'conflict',
    message: `container ${id} is not running`,
  })
  await box.containers.start('web')
  await assert.rejects(box.engine.execs.create('web', { Cmd: ['true'], User: 'who' }), {
    kind: 'invalid',
    message: 'unable to find user who: no matching entries in passwd file',
  })
  assert.throws(() => box.engine.execs.inspect('abc'), { kind: 'not-found', message: 'No such exec instance: abc' })
})

test('a command that cannot be executed is told as output and by the exit code', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  box.runtime.onStart = () => {
    throw new Failure('invalid', 'ENOENT', { exitCode: 127 })
  }
  const { Id } = await box.engine.execs.create('web', { Cmd: ['nope'], AttachStdout: true })
  const session = await box.engine.execs.start(Id)
  assert.match((await read(session!.output)).join(), /exec: "nope": executable file not found in \$PATH/)
  assert.equal(box.engine.execs.inspect(Id).ExitCode, 127)
})
