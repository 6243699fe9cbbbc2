/** The stock docker command line against our socket. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root, which } from '../support/needs.ts'

describe('the docker CLI', {
  skip: lacking(root(), program('busybox'), program('nft'), program('docker'), program('script')),
}, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  const ok = async (...args: readonly string[]): Promise<string> => {
    const said = await engine.docker(args)
    assert.equal(
      said.code,
      0,
      `docker ${args.join(' ')} ended with ${said.code}\n${said.stdout}${said.stderr}\n${engine.log}`,
    )
    return said.stdout.replaceAll('\r\n', '\n')
  }

  /** Runs docker under a terminal that util-linux's script makes. */
  const terminal = (args: string, input: string): ReturnType<typeof command> =>
    command('script', ['-qec', `${which('docker')} ${args}`, '/dev/null'], {
      env: { ...engine.env, TERM: 'xterm' },
      input,
    })

  test('run --rm prints what the container says and leaves no container', async () => {
    assert.equal(await ok('run', '--rm', 'busybox', 'echo', 'hi'), 'hi\n')
    assert.equal(await ok('ps', '-aq'), '')
  })

  test('run passes the exit code on, and 127 and 126 for a command that is not there or not executable', async () => {
    assert.equal((await engine.docker(['run', '--rm', 'busybox', 'sh', '-c', 'exit 3'])).code, 3)
    assert.equal((await engine.docker(['run', '--rm', 'busybox', 'no-such-command'])).code, 127)
    assert.equal((await engine.docker(['run', '--rm', 'busybox', '/etc/passwd'])).code, 126)
    assert.equal(await ok('ps', '-aq'), '')
  })

  test('run -i feeds stdin and ends with it', async () => {
    const said = await engine.docker(['run', '--rm', '-i', 'busybox', 'wc', '-c'], { input: 'x'.repeat(200_000) })
    assert.equal(said.stdout.trim(), '200000')
  })

  test('run -it gives a terminal', async () => {
    const said = await terminal('run --rm -it busybox sh -c "tty; stty size; test -t 0 && echo yes"', '')
    assert.match(said.stdout, /\/dev\/(pts\/\d+|console)/)
    assert.match(said.stdout, /yes/)
    assert.equal(said.code, 0)
  })

  test('run -d with a published port, a memory limit and a volume; ps, inspect, logs, exec, stop and rm', async () => {
    const id = (
      await ok(
        'run',
        '-d',
        '--name',
        'web',
        '-p',
        '127.0.0.1:18080:80',
        '-m',
        '64m',
        '-v',
        'pages:/www',
        'busybox',
        'sh',
        '-c',
        'echo started; echo hello > /www/index.html; exec httpd -f -p 80 -h /www',
      )
    ).trim()
    assert.match(id, /^[0-9a-f]{64}$/)
    assert.match(await ok('ps'), /web/)
    const page = await eventually('the page', async () => (await fetch('http://127.0.0.1:18080/')).text())
    assert.equal(page, 'hello\n')
    const [inspected] = JSON.parse(await ok('inspect', 'web')) as Record<string, Record<string, unknown>>[]
    assert.equal(inspected?.HostConfig?.Memory, 64 * 1024 * 1024)
    assert.equal(inspected?.State?.Status, 'running')
    assert.equal(await ok('logs', 'web'), 'started\n')
    assert.match(await ok('exec', 'web', 'cat', '/proc/1/cmdline'), /httpd/)
    assert.match((await terminal('exec -it web sh -c "tty"', '')).stdout, /\/dev\/pts\/\d+/)
    assert.match(await ok('port', 'web'), /80\/tcp -> 127\.0\.0\.1:18080/)
    assert.equal((await ok('stop', '-t', '1', 'web')).trim(), 'web')
    assert.match(await ok('ps', '-a'), /Exited/)
    await ok('start', 'web')
    await ok('rm', '-f', 'web')
    assert.equal(await ok('ps', '-aq'), '')
    assert.match(await ok('volume', 'ls'), /pages/)
    await ok('volume', 'rm', 'pages')
  })

  test('logs -f follows to the end', async () => {
    await ok('run', '-d', '--name', 'talker', 'busybox', 'sh', '-c', 'for i in 1 2 3 4 5; do echo $i; sleep 0.1; done')
    assert.equal(await ok('logs', '-f', 'talker'), '1\n2\n3\n4\n5\n')
    await ok('rm', 'talker')
  })

  test('network ls, create, run on it by name, and rm', async () => {
    assert.match(await ok('network', 'ls'), /bridge[\s\S]*host[\s\S]*none/)
    await ok('network', 'create', 'lane')
    await ok('run', '-d', '--name', 'one', '--network', 'lane', 'busybox', 'sleep', '60')
    assert.match(
      await ok('run', '--rm', '--network', 'lane', 'busybox', 'ping', '-c', '1', 'one'),
      /1 packets received/,
    )
    await ok('rm', '-f', 'one')
    await ok('network', 'rm', 'lane')
  })

  test('images, image inspect, tag and rmi', async () => {
    assert.match(await ok('images'), /busybox\s+latest/)
    await ok('tag', 'busybox', 'other:1')
    assert.match(await ok('image', 'inspect', 'other:1'), /"other:1"/)
    await ok('rmi', 'other:1')
    assert.equal((await engine.docker(['image', 'inspect', 'other:1'])).code, 1)
  })

  test('events tells of a container from create to destroy', async () => {
    const child = spawn(which('docker')!, ['events', '--format', '{{.Actor.Attributes.name}} {{.Action}}'], {
      env: { ...process.env, ...engine.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', chunk => (said += chunk))
    try {
      // it may begin to listen in the middle of a container's life
      await eventually('a first event', async () => {
        await ok('run', '--rm', 'busybox', 'true')
        return said !== ''
      })
      await ok('run', '--rm', '--name', 'whole', 'busybox', 'true')
      await eventually('the end of the next container', () => said.includes('whole destroy'))
      const order = ['create', 'start', 'die', 'destroy'].map(action => said.indexOf(`whole ${action}\n`))
      assert.ok(
        order.every(at => at >= 0),
        said,
      )
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
    } finally {
      child.kill()
    }
  })

  test('run with a host folder, a user, a read-only root and an environment', async () => {
    const folder = join(engine.folder, 'given')
    mkdirSync(folder)
    writeFileSync(join(folder, 'file'), 'content\n')
    assert.equal(await ok('run', '--rm', '-v', `${folder}:/given:ro`, 'busybox', 'cat', '/given/file'), 'content\n')
    assert.equal(
      (await engine.docker(['run', '--rm', '-v', `${folder}:/given:ro`, 'busybox', 'touch', '/given/new'])).code,
      1,
    )
    assert.match(await ok('run', '--rm', '-u', '1000:1000', 'busybox', 'id'), /uid=1000 gid=1000/)
    assert.equal((await engine.docker(['run', '--rm', '--read-only', 'busybox', 'touch', '/file'])).code, 1)
    assert.equal(await ok('run', '--rm', '-e', 'A=b c', 'busybox', 'sh', '-c', 'echo $A'), 'b c\n')
  })

  test('cp finds what was put beneath a tmpfs before the start, and first what is in the tmpfs', async () => {
    const file = join(engine.folder, 'file')
    writeFileSync(file, 'before')
    await ok('create', '--name', 'covered', '--tmpfs', '/tmp', 'busybox', 'sleep', '1000')
    for (const name of ['one', 'two']) await ok('cp', file, `covered:/tmp/${name}`)
    await ok('start', 'covered')
    assert.equal(await ok('exec', 'covered', 'ls', '/tmp'), '')
    await ok('exec', 'covered', 'sh', '-c', 'echo -n within > /tmp/two')
    const content = async (name: string) => {
      const to = join(engine.folder, `out-${name}`)
      await ok('cp', `covered:/tmp/${name}`, to)
      return readFileSync(to, 'utf8')
    }
    assert.deepEqual([await content('one'), await content('two')], ['before', 'within'])
    const missing = await engine.docker(['cp', 'covered:/tmp/three', file])
    assert.match(missing.stderr, /Could not find the file \/tmp\/three in container covered/)
    await ok('rm', '-f', 'covered')
  })

  test('stats, top, pause, rename, restart, update and cp do what they say', async () => {
    await ok('run', '-d', '--name', 'worker', 'busybox', 'sleep', '600')
    assert.match(await ok('top', 'worker'), /sleep 600/)
    assert.match(await ok('stats', '--no-stream', 'worker'), /worker/)
    await ok('pause', 'worker')
    assert.match(await ok('ps'), /Paused/)
    await ok('unpause', 'worker')
    await ok('rename', 'worker', 'labourer')
    await ok('restart', '-t', '0', 'labourer')
    await ok('rm', '-f', 'labourer')
  })
})
