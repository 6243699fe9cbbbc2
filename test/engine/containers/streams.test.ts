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

test('attach with standard input alone shows nothing and ends with the container', async () => {
  await using box = await EngineBox.open()
  await box.run('web', { OpenStdin: true })
  const session = await box.containers.attach('web', { ...all, stdout: false, stderr: false })
  await session.write(Buffer.from('in'))
  box.runtime.last.write('out')
  box.runtime.last.end(0)
  assert.deepEqual(await read(session.output), [])
  assert.deepEqual(box.runtime.last.input, ['in'])
})

test('attach refuses a paused container', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
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
  assert.equal(box.runtime.processes.length, 1, 'it starts when the client has its answer')
  await session!.begin!()
  const exec = box.runtime.last
  assert.ok(exec.spec.process.env.includes('A=1') && exec.spec.process.env.includes('B=2'))
  assert.equal(exec.spec.process.user.uid, 1000)
  exec.write('out')
  exec.end(3)
  assert.deepEqual(await read(session!.output), ['stdout: out'])
  await exec.exited
  const { ExitCode, ProcessConfig } = box.engine.execs.inspect(Id)
  assert.deepEqual([ExitCode, ProcessConfig.entrypoint, ProcessConfig.arguments], [3, 'sh', ['-c', 'exit 3']])
  const again = await box.engine.execs.start(Id)
  await again!.begin!()
  assert.deepEqual(await read(again!.output), [`stdout: exec command ${Id} has already run\r\n`])
  await assert.rejects(box.engine.execs.start(Id, { Detach: true }), {
    kind: 'conflict',
    message: `exec command ${Id} has already run`,
  })
})

test('exec start says how the client reads, exec create whether there is a terminal', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  for (const [create, start] of [
    [true, false],
    [false, true],
  ] as const) {
    const { Id } = await box.engine.execs.create('web', { Cmd: ['sh'], Tty: create, AttachStdout: true })
    const session = await box.engine.execs.start(Id, { Tty: start })
    await session!.begin!()
    assert.deepEqual([box.runtime.last.spec.stdio.terminal, session!.tty], [create, start])
    box.runtime.last.end(0)
  }
})

test('a resize is told with its size', async () => {
  await using box = await EngineBox.open()
  await box.run('web', { Tty: true })
  await box.containers.resize('web', { rows: 10, columns: 20 })
  assert.deepEqual(box.runtime.last.size, [10, 20])
  const { action, attributes } = box.engine.events.history.at(-1)!
  assert.deepEqual([action, attributes['height'], attributes['width']], ['resize', '10', '20'])
})

test('a resize that comes before the start of an exec is done after it', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  const { Id } = await box.engine.execs.create('web', { Cmd: ['sh'], Tty: true, AttachStdout: true })
  const resized = box.engine.execs.resize(Id, { rows: 10, columns: 20 })
  const session = await box.engine.execs.start(Id, { Tty: true })
  await session!.begin!()
  await resized
  assert.deepEqual(box.runtime.last.size, [10, 20])
  box.runtime.last.end(0)
})

test('the keys that detach from an exec leave it running, are told, and read as bytes in inspect', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  const body = { Cmd: ['sh'], Tty: true, AttachStdin: true, AttachStdout: true }
  const { Id } = await box.engine.execs.create('web', { ...body, DetachKeys: 'ctrl-x,x' })
  assert.equal(box.engine.execs.inspect(Id).DetachKeys, 'GHg=')
  await assert.rejects(box.engine.execs.create('web', { ...body, DetachKeys: 'bogus' }), {
    message: 'Invalid escape keys (bogus) provided',
  })
  const session = await box.engine.execs.start(Id, { Tty: true })
  await session!.begin!()
  await session!.write(Buffer.from('\x18x'))
  assert.deepEqual(await read(session!.output), [])
  assert.equal(box.engine.execs.inspect(Id).Running, true)
  assert.equal(box.engine.events.history.at(-1)!.action, 'exec_detach')
})

test('an exec that was never started is gone with the run of its container', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  const { Id } = await box.engine.execs.create('web', { Cmd: ['true'] })
  await box.containers.restart('web')
  assert.throws(() => box.engine.execs.inspect(Id), { kind: 'not-found', message: `No such exec instance: ${Id}` })
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
    throw new Failure('invalid', 'exec: "nope": executable file not found in $PATH', { exitCode: 127 })
  }
  const { Id } = await box.engine.execs.create('web', { Cmd: ['nope'], AttachStdout: true })
  const session = await box.engine.execs.start(Id)
  await session!.begin!()
  assert.match((await read(session!.output)).join(), /exec: "nope": executable file not found in \$PATH/)
  assert.equal(box.engine.execs.inspect(Id).ExitCode, 127)
})
