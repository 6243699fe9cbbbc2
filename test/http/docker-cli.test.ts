import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { Session } from '../../src/api/endpoint.ts'
import { Events } from '../../src/engine/base/events.ts'
import { eventStream } from '../../src/engine/server/event-stream.ts'
import { Failure } from '../../src/lib/failure.ts'
import { lacking, program } from '../support/needs.ts'
import { type Serving, serving } from './serving.ts'

const skip = lacking(program('docker'))
const id = 'a'.repeat(64)

/** Runs the stock CLI against the server; its plugins and configuration stay out of it. */
async function docker(on: Serving, args: readonly string[], stdin = '') {
  const child = spawn('docker', args, {
    env: {
      PATH: process.env['PATH'],
      DOCKER_HOST: `unix://${on.path}`,
      DOCKER_CONFIG: '/nonexistent',
      HOME: '/nonexistent',
    },
    timeout: 20_000,
  })
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>(resolve => child.on('close', resolve)),
  ])
  return { out, err, code }
}

test('docker version and ps speak to the server as to a Docker Engine', { skip }, async () => {
  await using on = await serving({
    version: () => ({
      Platform: { Name: '' },
      Version: '9.9.9',
      ApiVersion: '1.51',
      MinAPIVersion: '1.24',
      GitCommit: '',
      GoVersion: '',
      Os: 'linux',
      Arch: 'amd64',
    }),
    containerList: ({ query }) => [
      {
        Id: id,
        Names: ['/web'],
        Image: 'busybox',
        ImageID: 'sha256:1',
        Command: 'sh',
        Created: 0,
        Ports: [{ IP: '127.0.0.1', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }],
        Labels: {},
        State: 'running',
        Status: `Up, all=${query.all} label=${query.filters?.['label']}`,
        HostConfig: {},
        NetworkSettings: { Networks: {} },
        Mounts: [],
      },
    ],
  })
  const version = await docker(on, ['version', '--format', '{{.Server.Version}} {{.Server.APIVersion}}'])
  assert.deepEqual([version.out, version.code], ['9.9.9 1.51\n', 0], version.err)
  const ps = await docker(on, ['ps', '-a', '--filter', 'label=a=b', '--format', '{{.Names}} {{.Ports}} {{.Status}}'])
  assert.equal(ps.out, 'web 127.0.0.1:8080->80/tcp Up, all=true label=a=b\n', ps.err)
})

test('docker shows the messages of our failures', { skip }, async () => {
  await using on = await serving({
    containerStop: async ({ params }) => {
      throw new Failure('not-found', `No such container: ${params.id}`)
    },
  })
  const stop = await docker(on, ['stop', 'nosuch'])
  assert.equal(stop.code, 1)
  assert.match(stop.err, /No such container: nosuch/)
  const unbuilt = await docker(on, ['history', 'a/b'])
  assert.match(unbuilt.err, /GET \/images\/\{name\}\/history is not implemented yet/)
})

test('docker logs reads our frames, docker events our stream', { skip }, async () => {
  const events = new Events()
  events.emit('container', 'start', id, { name: 'web', image: 'busybox' })
  await using on = await serving({
    containerInspect: () => ({ Id: id, Name: '/web', Config: { Tty: false }, State: {}, HostConfig: {} }) as never,
    containerLogs: () => ({
      tty: false,
      output: (async function* () {
        yield [{ stream: 'stdout', data: Buffer.from('to out\n') } as const]
        yield [{ stream: 'stderr', data: Buffer.from('to err\n') } as const]
      })(),
    }),
    events: ({ query }, { signal }) => eventStream(events, { ...query, signal }),
  })
  const logs = await docker(on, ['logs', 'web'])
  assert.deepEqual([logs.out, logs.err], ['to out\n', 'to err\n'])
  const seen = await docker(on, [
    'events',
    '--since',
    '1',
    '--until',
    (Date.now() / 1000 + 0.01).toFixed(3),
    '--format',
    '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}',
  ])
  assert.equal(seen.out, 'container start web\n', seen.err)
})

test('docker run -i gets its stdin, output and exit code through wait, attach and start', { skip }, async () => {
  const steps: string[] = []
  const stdin = Promise.withResolvers<string>()
  let heard = ''
  const session: Session = {
    tty: false,
    output: (async function* () {
      yield { stream: 'stdout', data: Buffer.from(`heard ${await stdin.promise}`) } as const
    })(),
    write: async chunk => {
      heard += Buffer.from(chunk)
    },
    end: () => stdin.resolve(heard),
    close: () => {},
  }
  const started = Promise.withResolvers<void>()
  await using on = await serving({
    containerCreate: ({ body }) => {
      steps.push(`create ${body.Cmd?.join(' ')} stdin=${body.OpenStdin}`)
      return { Id: id, Warnings: [] }
    },
    containerAttach: ({ query }) => {
      steps.push(`attach stdin=${query.stdin}`)
      return session
    },
    containerWait: ({ query }) => {
      steps.push(`wait ${query.condition}`)
      return (async function* () {
        await started.promise
        await stdin.promise
        yield { StatusCode: 42 }
      })()
    },
    containerStart: async () => {
      steps.push('start')
      started.resolve()
    },
  })
  const run = await docker(on, ['run', '-i', 'busybox', 'cat', 'x'], 'some words')
  assert.deepEqual([run.out, run.code], ['heard some words', 42], run.err)
  assert.deepEqual(steps, ['create cat x stdin=true', 'attach stdin=true', 'wait next-exit', 'start'])
})

test('docker exec upgrades with a body and reads the exit code afterwards', { skip }, async () => {
  let started: unknown
  await using on = await serving({
    containerInspect: () => ({ Id: id, Name: '/web', Config: { Tty: false }, State: { Running: true } }) as never,
    execCreate: ({ body }) => ({ Id: body.Cmd?.join('-') ?? '' }),
    execStart: ({ params, body }) => {
      started = body
      return {
        tty: false,
        output: (async function* () {
          yield { stream: 'stderr', data: Buffer.from(params.id) } as const
        })(),
        write: async () => {},
        end() {},
        close() {},
      }
    },
    execInspect: () => ({ ExitCode: 5, Running: false }) as never,
  })
  const exec = await docker(on, ['exec', 'web', 'a', 'b'])
  assert.deepEqual([exec.err, exec.code], ['a-b', 5])
  assert.deepEqual(started, { Detach: false, Tty: false })
})

test('docker pull shows our progress, and its failure is the exit code', { skip }, async () => {
  await using on = await serving({
    imageCreate: async function* ({ query }) {
      yield { status: `Pulling from ${query.fromImage}`, id: query.tag ?? '' }
      throw new Failure('not-found', 'manifest unknown')
    },
  })
  const pull = await docker(on, ['pull', '127.0.0.1:5000/a/b:1'])
  assert.match(pull.out, /1: Pulling from 127\.0\.0\.1:5000\/a\/b/)
  assert.match(pull.err, /manifest unknown/)
  assert.equal(pull.code, 1)
})

test('docker cp brings a file back with its stat', { skip }, async () => {
  const stat = { name: 'f', size: 3, mode: 0o644, mtime: '2026-01-01T00:00:00Z', linkTarget: '' }
  const header = Buffer.alloc(512)
  header.write('f', 0)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write('00000000003\0', 124)
  header.write('00000000000\0', 136)
  header.write('        0', 148)
  header.write('ustar\x0000', 257)
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  const content = Buffer.alloc(512)
  content.write('abc')
  await using on = await serving({
    containerArchiveStat: () => stat,
    containerArchiveGet: () => ({
      stat,
      content: (async function* () {
        yield Buffer.concat([header, content, Buffer.alloc(1024)])
      })(),
    }),
  })
  const cp = await docker(on, ['cp', 'web:/f', '-'])
  assert.equal(cp.code, 0, cp.err)
  assert.ok(cp.out.includes('abc'))
})
