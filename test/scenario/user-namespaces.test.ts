/** Containers in user namespaces of their own: whose ids they have, whose files are whose, and what every verb makes of it. */
import assert from 'node:assert/strict'
import { chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, mappedLayers, program, root, shared } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { importProbe } from '../support/probe-image.ts'
import { dockersProbe } from '../support/probe-settings.ts'

const missing = lacking(root(), program('busybox'), program('nft'), program('docker'), program('tar'), mappedLayers())

describe('containers in user namespaces', { skip: missing, timeout: 240_000 * patience }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start(['busybox'], { config: () => ({ 'userns-mode': 'auto' }) })
  })
  after(() => engine.stop())

  async function docker(...args: string[]): Promise<string> {
    const said = await engine.docker(args, { timeout: 60_000 })
    assert.equal(said.code, 0, `docker ${args.join(' ')}: ${said.stderr}\n${engine.log}`)
    return said.stdout.trim()
  }
  const inspect = async (name: string) => JSON.parse(await docker('inspect', name))[0]
  /** First id on the host of a running container's. */
  const first = async (name: string) =>
    Number(
      readFileSync(`/proc/${(await inspect(name)).State.Pid}/uid_map`, 'utf8')
        .trim()
        .split(/\s+/)[1],
    )
  const run = (name: string, ...flags: string[]) =>
    docker('run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000')

  test('files are owned as the image says, whoever looks and however they get out', async () => {
    const bound = join(engine.folder, 'bound')
    mkdirSync(bound)
    chownSync(bound, 1000, 1000)
    await run('web', '-v', 'kept:/kept', '-v', `${bound}:/bound`)
    assert.ok((await first('web')) > 0)
    const owner = (path: string) => docker('exec', 'web', 'stat', '-c', '%u:%g', path)
    await docker(
      ...['exec', 'web', 'sh', '-c'],
      'echo a > /mine; chown 12:34 /mine; echo b > /kept/b; chown 5 /bound; echo c > /bound/c; cat /etc/hosts > /dev/null',
    )
    assert.deepEqual(
      [await owner('/mine'), await owner('/bound'), await owner('/kept/b'), await owner('/etc/hosts')],
      ['12:34', '5:1000', '0:0', '0:0'],
    )
    assert.deepEqual([statSync(bound).uid, statSync(join(bound, 'c')).uid], [5, 0])

    // ustar: eight octal digits of uid and of gid
    const archived = async (path: string) => {
      const tar = await docker('cp', `web:${path}`, '-')
      return [108, 116].map(at => Number.parseInt(tar.slice(at, at + 7), 8))
    }
    assert.deepEqual(await archived('/mine'), [12, 34])
    const folder = join(engine.folder, 'in')
    mkdirSync(folder)
    for (const name of ['one', 'two']) writeFileSync(join(folder, name), name)
    chownSync(join(folder, 'one'), 77, 78)
    for (const place of ['/in', '/dev/shm/in', '/kept/in', '/bound/in']) {
      await docker('cp', '-a', folder, `web:${place}`)
      assert.equal(await owner(`${place}/one`), '77:78', place)
      assert.equal(await owner(`${place}/two`), '0:0', place)
    }
    assert.match(await docker('diff', 'web'), /A \/mine/)
    await docker('commit', 'web', 'made:1')
    assert.equal(await docker('run', '--rm', 'made:1', 'stat', '-c', '%u:%g', '/mine', '/in/one'), '12:34\n77:78')

    await docker('stop', '-t', '0', 'web')
    assert.deepEqual(await archived('/in/one'), [77, 78])
    await docker('start', 'web')
    assert.equal(await owner('/in/one'), '77:78')
    await docker('rm', '-f', 'web')
  })

  test('a project has one range, which outlives the engine and is free again with its last container', async () => {
    const of = (project: string) => ['--label', `com.docker.compose.project=${project}`]
    await run('a1', ...of('a'))
    await run('a2', ...of('a'))
    await run('b1', ...of('b'))
    await run('alone')
    const ranges = await Promise.all(['a1', 'a2', 'b1', 'alone'].map(first))
    assert.equal(ranges[0], ranges[1])
    assert.deepEqual((await inspect('b1')).HostConfig.IDMappings.UidMap, [`0:${ranges[2]}:65536`])
    assert.equal(new Set(ranges).size, 3)
    for (const range of ranges) assert.equal((range - ranges[0]!) % 65_536, 0)

    await engine.halt('SIGKILL')
    await engine.boot()
    assert.equal(await docker('exec', 'a1', 'id', '-u'), '0')
    await run('a3', ...of('a'))
    await run('c1', ...of('c'))
    assert.equal(await first('a3'), ranges[0])
    assert.ok(!ranges.includes(await first('c1')))

    await docker('restart', '-t', '0', 'a1', 'b1')
    assert.deepEqual([await first('a1'), await first('b1')], [ranges[0], ranges[2]])
    await docker('rm', '-f', 'a1', 'a2', 'a3')
    await run('d1', ...of('d'))
    assert.equal(await first('d1'), ranges[0])
    await docker('rm', '-f', 'b1', 'c1', 'd1', 'alone')
  })

  test('whoever shares a network or processes shares the ids, and has a say in them', async () => {
    await run('first', '--network', 'none', '--cap-add', 'NET_ADMIN')
    for (const flags of [
      ['--network', 'container:first'],
      ['--pid', 'container:first'],
    ]) {
      const name = `second-${flags[0]!.slice(2)}`
      await run(name, '--cap-add', 'NET_ADMIN', ...flags)
      assert.equal(await first(name), await first('first'))
      await docker('exec', name, 'ip', 'link', 'set', 'lo', 'mtu', '1400')
      await docker('rm', '-f', name)
    }
    await docker('rm', '-f', 'first')
  })

  test('networks, names, published ports, health checks and terminals are as ever', async () => {
    await docker('network', 'create', 'net')
    const page = ['sh', '-c', 'mkdir -p /www; echo page > /www/index.html; exec httpd -f -p 80 -h /www']
    const check = ['--health-cmd', 'wget -qO- http://localhost/ | grep -q page', '--health-interval', '1s']
    await docker(
      ...['run', '-d', '--name', 'server', '--network', 'net', '-p', '127.0.0.1::80', ...check],
      ...['--user', '1000', '--tmpfs', '/www:uid=1000', 'busybox', ...page],
    )
    await eventually('healthy', async () => (await inspect('server')).State.Health.Status === 'healthy', 30_000)
    assert.equal(await docker('run', '--rm', '--network', 'net', 'busybox', 'wget', '-qO-', 'http://server/'), 'page')
    const port = (await docker('port', 'server', '80')).split(':').at(-1)
    const fetched = await fetch(`http://127.0.0.1:${port}/`)
    assert.equal(await fetched.text(), 'page\n')
    assert.match(await docker('run', '--rm', '-t', 'busybox', 'tty'), /^\/dev\/(pts\/\d|console)$/)
    await docker('rm', '-f', 'server')
    await docker('network', 'rm', 'net')
  })

  test('a container may stay in that of the host; what cannot have one is refused in Docker’s words', async () => {
    await run('hosts', '--userns', 'host')
    assert.equal(await first('hosts'), 0)
    const refused = async (...flags: string[]) =>
      (await engine.docker(['run', '--rm', ...flags, 'busybox', 'true'])).stderr
    assert.match(await refused('--privileged'), /privileged mode is incompatible with user namespaces/)
    assert.match(await refused('--network', 'host'), /cannot share the host's network namespace when user namespaces/)
    assert.match(await refused('--pid', 'host'), /cannot share the host PID namespace when user namespaces are enabled/)
    assert.match(await refused('--user', '70000'), /Cannot become user or group 70000: a user namespace has 0 to 65535/)
    assert.match(await refused('-v', '/proc:/host'), /Cannot show "\/proc" in a user namespace: its file system/)
    assert.equal(await docker('run', '--rm', '--userns', 'host', '--privileged', 'busybox', 'id', '-u'), '0')
    assert.match(await docker('info', '--format', '{{.SecurityOptions}}'), /name=userns/)
    await docker('rm', '-f', 'hosts')
  })

  test('flags of run do in it what they do elsewhere', async () => {
    const script = [
      'cat /proc/1/comm; grep -c . /etc/hosts > /dev/null',
      'touch /no 2> /dev/null || echo read-only',
      'touch /scratch/x && stat -c %u:%g /scratch',
      'head -c 2 /dev/nought | wc -c; stat -c %t:%T /dev/nought',
      'cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward',
      'ulimit -n; ulimit -Hn; id -G; df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2',
      'cat /proc/self/oom_score_adj; hostname; ls /image/bin/busybox',
    ].join('; ')
    await run('holder', '-v', 'held:/held')
    const flags = ['--init', '--read-only', '--tmpfs', '/scratch:uid=7,gid=8', '--device', '/dev/zero:/dev/nought']
    flags.push('--sysctl', 'kernel.msgmax=4096', '--sysctl', 'net.ipv4.ip_forward=0', '--ulimit', 'nofile=100:200')
    flags.push(
      '--group-add',
      '44',
      '--shm-size',
      '2m',
      '--oom-score-adj',
      '7',
      '-h',
      'named',
      '--volumes-from',
      'holder',
    )
    flags.push('--mount', 'type=image,source=busybox,target=/image')
    const said = await docker('run', '--rm', ...flags, 'busybox', 'sh', '-c', script)
    assert.deepEqual(said.split('\n'), [
      ...['init', 'read-only', '7:8', '2', '1:5', '4096', '0', '100', '200', '0 44', '2048', '7', 'named'],
      '/image/bin/busybox',
    ])
    for (const shared of [
      ['--ipc', 'host'],
      ['--uts', 'host'],
      ['--cgroupns', 'host'],
      ['--ipc', 'none'],
    ])
      assert.equal(await docker('run', '--rm', ...shared, 'busybox', 'id', '-u'), '0', shared.join(' '))
    await docker('rm', '-f', 'holder')
  })

  test('a stack says it once for all of its services, and explain shows what is done for it', async () => {
    const stack = engine.stack(`x-userns: auto
services:
  web: { image: busybox, command: sleep 1000, stop_grace_period: 0s }
  beside: { image: busybox, command: sleep 1000, stop_grace_period: 0s, userns_mode: 'service:web', pid: 'service:web' }
  alone: { image: busybox, command: sleep 1000, stop_grace_period: 0s, userns_mode: private }
  hosts: { image: busybox, command: sleep 1000, stop_grace_period: 0s, userns_mode: host }
`)
    await stack.run('up', '-d')
    const [web, beside, alone, hosts] = await Promise.all(
      ['web', 'beside', 'alone', 'hosts'].map(name => first(`${stack.name}-${name}-1`)),
    )
    assert.ok(web! > 0 && alone! > 0)
    assert.equal(beside, web)
    assert.notEqual(alone, web)
    assert.equal(hosts, 0)
    const explained = await stack.run('explain', '--steps', 'web')
    assert.match(explained, /user-new .*CLONE_NEWNET.*userns_mode/)
    assert.match(explained, /map-ids .*"\/dev"/)
    assert.match(explained, /user-enter .*compose\.yaml:1|user-enter .*services\.web\.userns_mode/)
    // nothing changes by being looked at again
    assert.match(await stack.run('plan'), /Nothing to do|up to date|no changes/i)
    await stack.run('down')
  })

  const probe = shared('security/probe.c')
  test('the probe finds it strictly stronger than the same without', {
    skip: probe ? lacking(program('gcc'), program('python3')) : 'needs ../shared/security, which is not here',
  }, async () => {
    await importProbe(engine, probe!)
    const found = async (name: string, ...flags: string[]) => {
      const path = join(engine.folder, `${name}.json`)
      const said = await engine.docker(['run', '--rm', ...flags, 'secprobe:latest'], { timeout: 120_000 })
      assert.ok(said.stdout.length > 1000, `the probe said nothing: ${said.stderr}\n${engine.log}`)
      writeFileSync(path, said.stdout)
      return path
    }
    const compare = (a: string, b: string) => command('python3', [shared('security/compare.py')!, a, b])
    const without = await found('without', '--userns', 'host')
    const within = await found('within')
    const own = await compare(without, within)
    assert.equal(own.code, 0, own.stdout)
    assert.match(own.stdout, /STRONGER/i)
    const recorded = join(engine.folder, 'docker-default.json')
    writeFileSync(recorded, dockersProbe('default'))
    const dockers = await compare(recorded, within)
    assert.equal(dockers.code, 0, dockers.stdout)
    const all = await found('all', '--cap-add', 'ALL', '--security-opt', 'seccomp=unconfined')
    const allHost = await found(
      'all-host',
      '--cap-add',
      'ALL',
      '--security-opt',
      'seccomp=unconfined',
      '--userns',
      'host',
    )
    const open = await compare(allHost, all)
    assert.equal(open.code, 0, open.stdout)
    const working = (path: string): number => JSON.parse(readFileSync(path, 'utf8')).summary.attempts_working
    assert.ok(working(all) < working(allHost), `${working(all)} of ${working(allHost)}`)
  })
})

describe('containers in user namespaces on whole copies', { skip: missing, timeout: 240_000 * patience }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start(['busybox'], {
      config: () => ({ 'userns-mode': 'auto', 'storage-driver': 'vfs' }),
    })
  })
  after(() => engine.stop())

  async function docker(...args: string[]): Promise<string> {
    const said = await engine.docker(args, { timeout: 60_000 })
    assert.equal(said.code, 0, `docker ${args.join(' ')}: ${said.stderr}\n${engine.log}`)
    return said.stdout.trim()
  }

  test('have their own ids, and files owned as the image says', async () => {
    assert.equal(await docker('info', '--format', '{{.Driver}}'), 'vfs')
    await docker('run', '-d', '--name', 'web', '-v', 'kept:/kept', 'busybox', 'sleep', '1000')
    const pid = await docker('inspect', '--format', '{{.State.Pid}}', 'web')
    assert.ok(Number(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/\s+/)[1]) > 0)
    await docker('exec', 'web', 'sh', '-c', 'echo a > /mine; chown 12:34 /mine; echo b > /kept/b')
    assert.equal(await docker('exec', 'web', 'stat', '-c', '%u:%g', '/mine', '/bin/sh', '/kept/b'), '12:34\n0:0\n0:0')
    assert.match(await docker('diff', 'web'), /^A \/mine$/m)
    await docker('commit', 'web', 'made:1')
    assert.equal(await docker('run', '--rm', 'made:1', 'stat', '-c', '%u:%g', '/mine'), '12:34')
    await docker('restart', '-t', '0', 'web')
    assert.equal(await docker('exec', 'web', 'stat', '-c', '%u:%g', '/mine'), '12:34')
    await docker('rm', '-f', 'web')
  })
})
