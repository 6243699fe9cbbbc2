/** What images and neighbours do to the places where the runtime mounts, makes devices and writes to /proc. */
import assert from 'node:assert/strict'
import { mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command } from '../../support/command.ts'
import { eventually } from '../../support/eventually.ts'
import { all, Hostile, hostileSkip, secret } from '../../support/hostile.ts'
import { patience } from '../../support/patience.ts'

describe('no way out by mounts:', { skip: hostileSkip(), timeout: 240_000 * patience }, () => {
  let at: Hostile
  let canary: string
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
  before(async () => {
    at = await Hostile.start()
    canary = at.canary
  })
  after(async () => {
    assert.equal(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), pattern)
    await at.stop()
  })

  /** Mounts of this host, but for those that come and go with the containers of others. */
  const mounts = () =>
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter(line => line.includes(at.engine.folder))
      .sort()

  test('devices of the image are links to files of the host: what is masked stays so, and nothing outside is opened', async () => {
    const name = await at.image('devlinks', tree => {
      mkdirSync(join(tree, 'dev/pts'), { recursive: true })
      for (const file of [
        'null',
        'zero',
        'full',
        'random',
        'urandom',
        'tty',
        'console',
        'ptmx',
        'fd',
        'stdin',
        'stdout',
        'stderr',
      ])
        symlinkSync('/proc/sys/kernel/core_pattern', join(tree, 'dev', file))
      for (const folder of ['shm', 'mqueue']) symlinkSync(canary, join(tree, 'dev', folder))
    })
    const look =
      'stat -c "%F %t:%T" /dev/null /dev/zero; cat /proc/keys; ls -l /dev/shm /dev/mqueue; echo x > /dev/null'
    const plain = await at.run(name, 'sh', '-c', look)
    assert.match(plain.stdout, /^character special file 1:3\ncharacter special file 1:5\n/, all(plain))
    assert.doesNotMatch(all(plain), /victim|keyring/)
    assert.equal((await at.run('-t', name, 'sh', '-c', 'echo x > /dev/console; echo done')).stdout, 'x\r\ndone\r\n')
    for (const input of ['', 'some text'])
      assert.equal((await at.engine.docker(['run', '--rm', '-i', name, 'cat'], { input })).stdout, input)
  })

  test('a volume at /dev whose devices are links, kept by a neighbour that swaps them', async () => {
    const swap = `while :; do
      for f in null zero console ptmx; do ln -sfn /proc/sys/kernel/core_pattern /v/$f; ln -sfn ${canary}/made /v/$f; rm -f /v/$f; mknod /v/$f c 1 3; done
      for d in shm mqueue pts; do rm -rf /v/$d; ln -sfn ${canary} /v/$d; rm -f /v/$d; mkdir /v/$d; done
    done 2>/dev/null`
    await at.begin('swapper', '-v', 'dev:/v', 'busybox', 'sh', '-c', swap)
    for (let i = 0; i < 25; i++) {
      const flags = i % 2 === 0 ? ['-t'] : []
      const said = await at.run(...flags, '-v', 'dev:/dev', 'busybox', 'sh', '-c', 'cat /proc/keys; true')
      assert.doesNotMatch(all(said), /keyring|CANARY/)
    }
    at.holdCanary()
    await at.remove('swapper')
  })

  test('a mount point in a volume, swapped for a link to the host while others mount there', async () => {
    const swap = `mkdir -p /v/a/sub /v/b; while :; do mv /v/a /v/b/x; ln -sfn / /v/a; rm /v/a; ln -sfn ${canary} /v/a; rm /v/a; mv /v/b/x /v/a; done 2>/dev/null`
    await at.begin('exchange', '-v', 'raced:/v', 'busybox', 'sh', '-c', swap)
    const before = mounts()
    for (let i = 0; i < 40; i++) {
      const said = await at.run(
        '-v',
        'raced:/v',
        '-v',
        'inner:/v/a/sub/deep',
        '-v',
        'other:/v/a',
        'busybox',
        'sh',
        '-c',
        `ls /v/a/victim /v/a/etc /v/a/sub 2>&1; grep " /v" /proc/self/mountinfo; ls ${canary}`,
      )
      assert.doesNotMatch(said.stdout, /^victim$/m)
    }
    assert.deepEqual(mounts(), before)
    at.holdCanary()
    await at.remove('exchange')
  })

  test('mount points, working directory and volumes of the image lead out by links, and land inside', async () => {
    const up = `../../../../../../../..${canary}`
    const links = (tree: string) => {
      symlinkSync(canary, join(tree, 'abs'))
      symlinkSync(up, join(tree, 'rel'))
    }
    const name = await at.image('pointlinks', links)
    for (const link of ['abs', 'rel']) {
      const target = `/${link}/made/here`
      // a link to a folder that is not there may be refused
      for (const mount of [
        ['-v', `vol:${target}`],
        ['--tmpfs', target],
      ])
        assert.match(all(await at.run(...mount, name, 'ls', canary)), /^made$|ELOOP/m)
      const said = all(await at.run('-w', `/${link}/work`, name, 'sh', '-c', 'pwd; ls ..'))
      assert.ok(said === `${canary}/work\nwork\n` || said.includes('ELOOP'), said)
      const volume = await at.image(`vol${link}`, links, '-c', `VOLUME /${link}`, '-c', `WORKDIR /${link}/w`)
      assert.doesNotMatch(all(await at.run(volume, 'sh', '-c', `ls /${link}; cat /${link}/victim`)), new RegExp(secret))
    }
    for (const volume of [up, `/a/../..${up}`]) {
      const dotted = await at.image(`dots${volume.length}`, () => undefined, '-c', `VOLUME ${volume}`)
      const said = await at.run(dotted, 'sh', '-c', `ls ${canary}; cat ${canary}/victim`)
      assert.doesNotMatch(all(said), new RegExp(`${secret}|^victim$`, 'm'))
    }
  })

  test('settings of the kernel are written to those of the container, whatever their names say', async () => {
    for (const name of [
      'net.ipv4.../../kernel.core_pattern',
      'kernel/core_pattern',
      'kernel.core_pattern',
      'net/../kernel/core_pattern',
      'net.ipv4.conf.all/../../../kernel.core_pattern',
      '../kernel.msgmax',
      'kernel.msgmax\0x',
      'kernel.sysrq',
      '',
    ]) {
      const made = await at.raw('POST', '/containers/create?name=sysctl', {
        Image: 'busybox',
        Cmd: ['true'],
        HostConfig: { Sysctls: { [name]: '|/tmp/x' } },
      })
      if (made.status === 201) {
        const { status } = await at.raw('POST', '/containers/sysctl/start')
        assert.ok(status >= 400 && status < 500, `${name}: ${status}`)
        await at.raw('DELETE', '/containers/sysctl?force=1')
      } else assert.equal(made.status, 400, `${name}: ${made.text}`)
      assert.equal(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), pattern, name)
    }
    const mine = ['--sysctl', 'kernel.msgmax=4096', '--sysctl', 'net.ipv4.ip_forward=0']
    const fake = await at.image('fakeproc', tree => {
      mkdirSync(join(tree, 'proc/sys/kernel'), { recursive: true })
      symlinkSync(join(canary, 'victim'), join(tree, 'proc/sys/kernel/msgmax'))
      mkdirSync(join(tree, 'proc/self/attr'), { recursive: true })
      symlinkSync(join(canary, 'victim'), join(tree, 'proc/self/attr/exec'))
    })
    const said = await at.run(...mine, fake, 'cat', '/proc/sys/kernel/msgmax')
    assert.equal(said.stdout, '4096\n', all(said))
  })

  test('streams that are files of the host are neither given away nor opened anew', async () => {
    const name = await at.image('nulllink', tree => {
      mkdirSync(join(tree, 'dev'))
      symlinkSync(join(canary, 'victim'), join(tree, 'dev/null'))
    })
    const [input, output] = [join(at.canary, 'victim'), join(at.engine.folder, 'output')]
    writeFileSync(output, '')
    const fds = { 0: openSync(input, 'r'), 1: openSync(output, 'r+') }
    for (const flags of [['-i'], ['-i', '--user', '1000'], ['--user', '1000']]) {
      const said = await command(
        'sh',
        ['-c', `exec "$@" <${input} >>${output}`, 'sh', 'docker', 'run', '--rm', ...flags, name, 'true'],
        {
          env: at.engine.env,
        },
      )
      assert.equal(said.code, 0, said.stderr)
      at.holdCanary()
    }
    assert.ok(fds)
  })

  test('what a privileged container mounts is not on the host, and goes with it', async () => {
    const before = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length
    await at.begin(
      'mounter',
      '--privileged',
      '-v',
      `${canary}:/c:ro`,
      'busybox',
      'sh',
      '-c',
      'mkdir /m; mount -t tmpfs over /m; mount -t tmpfs over /c; mount -t tmpfs over /; exec sleep 1000',
    )
    await eventually('its mounts', async () => {
      const { Pid } = (await at.inspect('mounter')).State
      return readFileSync(`/proc/${Pid}/mountinfo`, 'utf8').match(/ - tmpfs over /g)?.length === 3
    })
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), / - tmpfs over /)
    assert.ok(readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length <= before + 5)
    await at.remove('mounter')
  })

  test('limits are in force in the group that the process is in, in every mode', async () => {
    for (const [mode, HostConfig] of Object.entries({
      plain: {},
      userns: { UsernsMode: 'private' },
      cgroupns: { CgroupnsMode: 'private' },
      init: { Init: true },
      privileged: { Privileged: true },
      pid: { PidMode: 'host' },
    })) {
      const name = `limit-${mode}`
      const script = '(for i in $(seq 80); do sleep 1000 & done; wait) 2>/dev/null; exec sleep 1000'
      const body = {
        Image: 'busybox',
        Cmd: ['sh', '-c', script],
        HostConfig: { ...HostConfig, PidsLimit: 20, Memory: 32 << 20 },
      }
      assert.equal((await at.raw('POST', `/containers/create?name=${name}`, body)).status, 201, mode)
      const started = await at.raw('POST', `/containers/${name}/start`)
      assert.equal(started.status, 204, `${mode}: ${started.text}`)
      const { Pid } = (await at.inspect(name)).State
      const group = (controller: string) => {
        const lines = readFileSync(`/proc/${Pid}/cgroup`, 'utf8').trimEnd().split('\n')
        const old = lines.find(line => line.split(':')[1]!.split(',').includes(controller))
        return old
          ? `/sys/fs/cgroup/${controller}${old.split(':')[2]}`
          : `/sys/fs/cgroup${lines.find(line => line.startsWith('0::'))!.slice(3)}`
      }
      const [pids, memory] = [group('pids'), group('memory')]
      const memoryFile = pids === memory ? 'memory.max' : 'memory.limit_in_bytes'
      assert.equal(readFileSync(join(pids, 'pids.max'), 'utf8'), '20\n', mode)
      assert.equal(readFileSync(join(memory, memoryFile), 'utf8'), `${32 << 20}\n`, mode)
      await eventually(
        'the end of its forks',
        async () =>
          !(await at.inspect(name)).State.Running ||
          /^max [1-9]/m.test(readFileSync(join(pids, 'pids.events'), 'utf8')),
      )
      assert.ok((await at.ping()) < 2000 * patience)
      await at.remove(name)
    }
    const eater = await at.engine.docker([
      'run',
      '--name',
      'eater',
      '--memory',
      '32m',
      'busybox',
      'sh',
      '-c',
      'x=x; while :; do x=$x$x; done',
    ])
    assert.equal(eater.code, 137, all(eater))
    assert.equal(await at.engine.runDocker('inspect', '-f', '{{.State.OOMKilled}}', 'eater'), 'true')
    await at.remove('eater')
  })

  test('nothing of the host is mounted into a container but its own files, and its init is no file of the host', async () => {
    const said = await at.run(
      '--init',
      'busybox',
      'sh',
      '-c',
      'cat /proc/self/mountinfo; readlink /proc/1/exe; echo x > /proc/1/exe',
    )
    assert.equal(said.stderr.match(/can't create \/proc\/1\/exe/)?.length, 1, all(said))
    const binds = said.stdout
      .split('\n')
      .filter(
        line =>
          / (overlay|proc|sysfs|tmpfs|devpts|mqueue|cgroup2?|devtmpfs) /.test(
            line.split(' - ')[1] ? ` ${line.split(' - ')[1]}` : ' overlay ',
          ) === false,
      )
    assert.deepEqual(binds.map(line => line.split(' ')[4]).sort(), ['/etc/hostname', '/etc/hosts', '/etc/resolv.conf'])
  })
})
