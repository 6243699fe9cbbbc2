/** dockerode, the client that most programs in JavaScript use, over a container's whole life. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import Docker from 'dockerode'
import { TarReader } from '../../src/engine/base/tar-reader.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { tinyTar } from '../support/tiny-image.ts'

const why = lacking(root(), program('busybox'), program('nft'))

describe('dockerode', { skip: why, timeout: 120_000 * patience }, () => {
  let engine: TestEngine
  let docker: Docker
  before(async () => {
    engine = await TestEngine.start()
    docker = new Docker({ socketPath: engine.host.slice('unix://'.length) })
  })
  after(() => engine.stop())

  /** Runs a shell line in a new container; its exit code and output. */
  async function run(line: string, more: Docker.ContainerCreateOptions = {}) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const said = Promise.all([text(stdout), text(stderr)])
    const created = { Tty: false, ...more }
    const [ended, container] = await docker.run('busybox', ['sh', '-c', line], [stdout, stderr], created)
    await container.remove()
    stdout.end()
    stderr.end()
    const [out, err] = await said
    return { code: ended.StatusCode as number, out, err }
  }

  const running = async (name: string, more: Docker.ContainerCreateOptions = {}): Promise<Docker.Container> => {
    const container = await docker.createContainer({ name, Image: 'busybox', Cmd: ['sleep', 'infinity'], ...more })
    await container.start()
    return container
  }

  test('runs a command to its end, with both outputs and the exit code', async () => {
    assert.deepEqual(await run('echo out; echo err >&2; exit 3'), { code: 3, out: 'out\n', err: 'err\n' })
  })

  test('goes through create, start, pause, rename, restart, stop, wait and remove', async () => {
    const container = await running('life', { Env: ['A=b'], Labels: { stage: 'test' }, StopTimeout: 0 })
    const state = async () => (await container.inspect()).State.Status
    await container.pause()
    assert.equal(await state(), 'paused')
    await container.unpause()
    await container.rename({ name: 'lived' })
    const listed = await docker.listContainers({ filters: { label: ['stage=test'] } })
    assert.deepEqual(
      listed.map(({ Names, State }) => [Names, State]),
      [[['/lived'], 'running']],
    )
    await container.restart({ t: 0 })
    const ended = container.wait()
    await container.stop({ t: 0 })
    assert.deepEqual(await ended, { StatusCode: 137 })
    assert.equal(await state(), 'exited')
    await assert.rejects(container.stop(), { statusCode: 304 })
    await container.remove()
    await assert.rejects(container.inspect(), { statusCode: 404 })
  })

  test('talks with a terminal, whose size it sets, and ends it', async () => {
    const shell = { Image: 'busybox', Cmd: ['sh'], Tty: true, OpenStdin: true, StdinOnce: true }
    const container = await docker.createContainer(shell)
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true })
    const said = text(stream)
    await container.start()
    await container.resize({ h: 30, w: 99 })
    stream.write('stty size; exit 5\n')
    assert.deepEqual(await container.wait(), { StatusCode: 5 })
    assert.match(await said, /30 99/)
    await container.remove()
  })

  test('executes in a running container, with input, and tells how it ended', async () => {
    const container = await running('exec')
    const exec = await container.exec({
      Cmd: ['sh', '-c', 'cat; pwd; id -u; exit 4'],
      WorkingDir: '/tmp',
      User: '65534',
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    })
    const stream = await exec.start({ hijack: true, stdin: true })
    const stdout = new PassThrough()
    docker.modem.demuxStream(stream, stdout, stdout)
    stream.end('typed\n')
    await once(stream, 'end')
    stdout.end()
    assert.equal(await text(stdout), 'typed\n/tmp\n65534\n')
    const { ExitCode, Running } = await exec.inspect()
    assert.deepEqual([ExitCode, Running], [4, false])
    await container.remove({ force: true })
  })

  test('ends the input of a process whose client has left without reading what it said', async () => {
    const attach = { AttachStdin: true, AttachStdout: true, AttachStderr: true }
    const execIn = await running('execs')
    const exec = await execIn.exec({ Cmd: ['sh', '-c', 'cat; touch /left'], ...attach })
    // this one takes no input until its client has left
    const late = 'sleep 0.5; head -c 1000000 /dev/zero; sleep 1; cat'
    const attached = await docker.createContainer({
      ...{ Image: 'busybox', Cmd: ['sh', '-c', late], OpenStdin: true, StdinOnce: true },
      ...attach,
    })
    await attached.start()
    const streams = [
      await exec.start({ hijack: true, stdin: true }),
      await attached.attach({ stream: true, stdin: true, stdout: true, hijack: true }),
    ]
    for (const stream of streams) {
      stream.on('error', () => undefined)
      stream.pause()
      // more comes back than fits in between: the kernel resets the connection
      stream.write(Buffer.alloc(8 << 20))
    }
    for (const stream of streams as (NodeJS.ReadWriteStream & Readable)[]) {
      await eventually('output', () => stream.readableLength > 0)
      stream.destroy()
    }
    assert.deepEqual(await attached.wait(), { StatusCode: 0 })
    await eventually('the end of the exec', async () => !(await exec.inspect()).Running)
    await execIn.getArchive({ path: '/left' })
    for (const each of [execIn, attached]) await each.remove({ force: true })
  })

  test('follows a log from where it began to its end', async () => {
    const line = 'for i in 1 2 3; do echo line $i; sleep 0.1; done'
    const container = await docker.createContainer({ Image: 'busybox', Cmd: ['sh', '-c', line] })
    await container.start()
    const stream = await container.logs({ follow: true, stdout: true, stderr: true })
    const stdout = new PassThrough()
    docker.modem.demuxStream(stream, stdout, stdout)
    await once(stream, 'end')
    stdout.end()
    assert.equal(await text(stdout), 'line 1\nline 2\nline 3\n')
    const last = await container.logs({ stdout: true, tail: 1 })
    assert.equal(last.subarray(8).toString(), 'line 3\n')
    await container.remove()
  })

  test('copies files in and out, and makes an image of what has changed', async () => {
    const container = await running('files')
    await container.putArchive(await tinyTar({ 'from-here': 'hello' }), { path: '/tmp' })
    const archive = await container.getArchive({ path: '/tmp/from-here' })
    const reader = new TarReader(Readable.from([await buffer(archive)]))
    assert.equal((await reader.next())?.name, 'from-here')
    assert.equal((await reader.content(100, 'it')).toString(), 'hello')
    assert.deepEqual(
      (await container.changes()).find(({ Path }: { Path: string }) => Path === '/tmp/from-here'),
      {
        Path: '/tmp/from-here',
        Kind: 1,
      },
    )
    const { Id } = await container.commit({ repo: 'made', tag: '1', changes: 'ENV MADE=yes' })
    const image = docker.getImage('made:1')
    assert.equal((await image.inspect()).Id, Id)
    const [{ StatusCode }] = await docker.run('made:1', ['grep', '-q', 'hello', '/tmp/from-here'], new PassThrough())
    assert.equal(StatusCode, 0)
    await docker.pruneContainers()
    await container.remove({ force: true })
    await image.remove()
  })

  test('builds an image from a tar, and follows the steps', async () => {
    const context = await tinyTar({ Dockerfile: 'FROM busybox\nCOPY note /note\nRUN cat /note\n', note: 'a note\n' })
    const steps: Array<{ readonly stream?: string }> = []
    const stream = await docker.buildImage(Readable.from([context]), { t: 'built:1', rm: true })
    await new Promise((resolve, reject) =>
      docker.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(steps.push(...output)))),
    )
    const said = steps.map(step => step.stream ?? '').join('')
    assert.match(said, /a note\n/)
    assert.match(said, /Successfully tagged built:1/)
    await docker.getImage('built:1').remove()
  })

  test('carries images from one place to another', async () => {
    const archive = await buffer(await docker.getImage('busybox').get())
    await docker.getImage('busybox').tag({ repo: 'copy', tag: '1' })
    await docker.getImage('copy:1').remove()
    const said = (await docker.loadImage(Readable.from([archive]))) as Readable
    assert.match(await text(said), /Loaded image: busybox:latest/)
  })

  test('connects containers by the names they have on a network, and keeps data in a volume', async () => {
    const network = await docker.createNetwork({ Name: 'net', CheckDuplicate: true })
    const volume = await docker.createVolume({ Name: 'vol' })
    const serve = 'echo served >/data/index.html; exec httpd -f -h /data'
    const server = await docker.createContainer({
      name: 'server',
      Image: 'busybox',
      Cmd: ['sh', '-c', serve],
      HostConfig: { Binds: ['vol:/data'], NetworkMode: 'net' },
      NetworkingConfig: { EndpointsConfig: { net: { Aliases: ['web'] } } },
    })
    await server.start()
    const client = await run('until wget -qO- http://web/; do sleep 0.1; done', { HostConfig: { NetworkMode: 'net' } })
    assert.equal(client.out, 'served\n')
    await network.disconnect({ Container: 'server' })
    assert.deepEqual((await network.inspect()).Containers, {})
    await server.remove({ force: true })
    await network.remove()
    assert.equal((await run('cat /data/index.html', { HostConfig: { Binds: ['vol:/data:ro'] } })).out, 'served\n')
    await volume.remove()
  })

  test('hears of what happens, and of what a container uses', async () => {
    const events = await docker.getEvents({ filters: { type: ['container'], container: ['told'] } })
    const container = await running('told')
    const stats = await container.stats({ stream: false })
    assert.ok(stats.memory_stats.usage > 0 && stats.pids_stats?.current === 1, JSON.stringify(stats))
    assert.ok((await container.top()).Processes.some((row: string[]) => row.includes('sleep infinity')))
    await container.remove({ force: true })
    const heard: string[] = []
    for await (const chunk of events) {
      heard.push(
        ...String(chunk)
          .trim()
          .split('\n')
          .map(line => JSON.parse(line).Action),
      )
      if (heard.includes('destroy')) break
    }
    assert.deepEqual(
      heard.filter(action => !action.startsWith('top')),
      ['create', 'start', 'kill', 'die', 'destroy'],
    )
  })

  test('is told of faults by their status', async () => {
    await assert.rejects(docker.createContainer({ Image: 'nothing:1' }), { statusCode: 404 })
    await assert.rejects(docker.getContainer('nobody').start(), { statusCode: 404 })
    const container = await running('twice')
    await assert.rejects(docker.createContainer({ name: 'twice', Image: 'busybox' }), { statusCode: 409 })
    await assert.rejects(container.remove(), { statusCode: 409 })
    await container.remove({ force: true })
    const bad = await docker.createContainer({ Image: 'busybox', Cmd: ['/nothing'] })
    await assert.rejects(bad.start(), { statusCode: 400 })
    await bad.remove()
  })
})
