/** Whoever enters a container from outside (start, exec, cp, top, health checks) gives nothing away to it and takes nothing from it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { compiled } from '../../support/compiled.ts'
import { all, Hostile, hostileSkip } from '../../support/hostile.ts'
import { lacking, program, shared } from '../../support/needs.ts'
import { patience } from '../../support/patience.ts'

const native = fileURLToPath(new URL('../../../native/build', import.meta.url))
const watcher = shared('security/watch.c')

describe('no way out by whoever enters:', { skip: hostileSkip(), timeout: 240_000 * patience }, () => {
  let at: Hostile
  before(async () => {
    at = await Hostile.start()
  })
  after(() => at.stop())

  /** Of every program of the host that has to do with containers. */
  function programSums(): readonly string[] {
    const built = readdirSync(native).filter(name => !/\.(d|o)$/.test(name))
    return [process.execPath, ...built.map(name => join(native, name))].map(
      path => `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`,
    )
  }

  /** The lines of /proc/self/status that tell sets of capabilities, by their names. */
  const capabilities = (status: string) =>
    Object.fromEntries([...status.matchAll(/^Cap(\w+):\t(\w+)$/gm)].map(([, name, set]) => [name, set]))
  const no = '0000000000000000'

  for (const [what, HostConfig] of [
    ['with usual rights', {}],
    ['that may trace', { CapAdd: ['SYS_PTRACE'] }],
    ['in a user namespace', { UsernsMode: 'private' }],
  ] as const)
    test(`a container ${what} watches for processes that come in, and gets hold of none`, {
      skip: watcher ? lacking(program('gcc')) : 'needs ../shared/security, which is not here',
    }, async () => {
      const name = `watched${what.length}`
      const built = await compiled(at.engine.folder, watcher!)
      await at.image(name, tree => copyFileSync(built, join(tree, 'watch')))
      const sums = programSums()
      // seconds; the last to enter has half of them, on a machine that is busy too
      const watched = 8 * patience
      const Healthcheck = { Test: ['CMD', 'true'], Interval: 1e9 }
      // what can be written to is nothing of the container's own: between two of the watcher's calls what enters becomes a program of that
      const settings = { ...HostConfig, ReadonlyRootfs: true }
      const body = { Image: name, Cmd: ['/watch', String(watched)], Healthcheck, HostConfig: settings }
      assert.equal((await at.raw('POST', `/containers/create?name=${name}`, body)).status, 201)
      assert.equal((await at.raw('POST', `/containers/${name}/start`)).status, 204)
      let entered = 0
      for (const end = performance.now() + (watched / 2) * 1000; performance.now() < end; entered++) {
        assert.equal((await at.engine.docker(['exec', name, 'true'])).code, 0)
        await at.raw('GET', `/containers/${name}/archive?path=/etc`)
        await at.raw('GET', `/containers/${name}/top`)
      }
      assert.ok(entered > 0)
      // it looks without a pause until its time is over; nobody enters any more, and others want the processor
      assert.equal((await at.raw('POST', `/containers/${name}/update`, { NanoCpus: 5e7 })).status, 200)
      await at.raw('POST', `/containers/${name}/wait`)
      const found = JSON.parse(await at.engine.runDocker('logs', name))
      assert.ok(found.looks > 100, JSON.stringify(found))
      const none = ['exe_writable', 'outside_dirs']
      // a tracer may look into what has the rights of its own container already (test/runtime/compile.test.ts), and by the time it reads an
      // environment that is the container's own program's: until then there is none
      if (what !== 'that may trace')
        none.push('env_foreign', 'ptrace_foreign', 'foreign_fds', 'exe_opened', 'foreign_exe')
      for (const member of none) assert.equal(found[member], 0, JSON.stringify(found))
      assert.deepEqual(programSums(), sums)
      await at.remove(name)
    })

  test('an image whose program is /proc/self/exe, or a script of it, changes no program of the host', async () => {
    const sums = programSums()
    const write = 'for i in 1 2 3 4 5; do echo x > /proc/self/exe; echo x > /proc/1/exe; done 2>&1; true'
    await at.image('selfexe', tree => {
      writeFileSync(join(tree, 'script'), '#!/proc/self/exe\n', { mode: 0o755 })
      writeFileSync(join(tree, 'write'), `#!/bin/sh\n${write}\n`, { mode: 0o755 })
    })
    await at.begin('self', 'selfexe', 'sleep', '1000')
    for (const words of [['/proc/self/exe'], ['/proc/self/exe', 'x', 'y'], ['/script'], ['/proc/1/exe']]) {
      await at.run('selfexe', ...words)
      await at.engine.docker(['exec', 'self', ...words], { timeout: 20_000 })
    }
    await at.run('--init', 'selfexe', '/write')
    await at.run('--cap-add', 'ALL', '--security-opt', 'seccomp=unconfined', 'selfexe', '/write')
    assert.deepEqual(programSums(), sums)
    await at.remove('self')
  })

  test('what is set of capabilities is inherited by nobody, and a user has none', async () => {
    const status = async (...words: readonly string[]) =>
      capabilities(await at.engine.runDocker(...words, 'cat', '/proc/self/status'))
    await at.begin('caps', '--cap-add', 'NET_ADMIN', 'busybox', 'sleep', '1000')
    const run = ['run', '--rm']
    for (const [words, sets] of [
      [[...run, 'busybox'], await status('exec', 'caps')],
      [[...run, '--cap-add', 'NET_ADMIN', 'busybox'], undefined],
      [[...run, '--privileged', 'busybox'], undefined],
      [['exec', '--privileged', 'caps'], undefined],
    ] as const)
      for (const each of [sets, await status(...words)].filter(set => set !== undefined)) {
        assert.deepEqual([each['Inh'], each['Amb']], [no, no], words.join(' '))
        assert.notEqual(each['Eff'], no)
      }
    for (const words of [
      [...run, '--user', '1000', '--cap-add', 'NET_ADMIN', 'busybox'],
      [...run, '--user', '1000', '--init', 'busybox'],
      ['exec', '--user', '1000', 'caps'],
    ]) {
      const each = await status(...words)
      assert.deepEqual([each['Inh'], each['Prm'], each['Eff'], each['Amb']], [no, no, no, no], words.join(' '))
      assert.notEqual(each['Bnd'], no)
    }
    await at.remove('caps')
  })

  test('users of exec are numbers or names, and never root by accident', async () => {
    await at.image('execusers', tree =>
      writeFileSync(join(tree, 'etc/passwd'), '1:x:0:0::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n'),
    )
    await at.begin('users', 'execusers', 'sleep', '1000')
    const as = async (user: string) => at.engine.docker(['exec', '-u', user, 'users', 'id', '-u'])
    assert.equal((await as('1000')).stdout, '1000\n')
    for (const user of ['01', '1:2', '001', '1']) assert.notEqual((await as(user)).stdout, '0\n', user)
    for (const user of ['4294967296', '4294967295', '-1', '0x0', ' 0', '0 ', '1:-1', '\n0', '9'.repeat(400)]) {
      const said = await as(user)
      assert.notEqual(said.code, 0, `${user}: ${all(said)}`)
      assert.equal(said.stdout.trim().match(/^0$/), null, user)
    }
    await at.remove('users')
  })

  test('groups of a user are those of the image and its own, so that what a group may not is kept from it', async () => {
    await at.image('groups', tree => {
      writeFileSync(join(tree, 'etc/group'), 'root:x:0:\nother:x:77:someone\n')
      writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nsomeone:x:1000:50::/:/bin/sh\n')
      writeFileSync(join(tree, 'kept'), 'text')
      chmodSync(join(tree, 'kept'), 0o606)
    })
    await at.begin('grouped', 'groups', 'sh', '-c', 'chown 0:1234 /kept; exec sleep 1000')
    const groups = async (...flags: readonly string[]) =>
      (await at.engine.docker(['run', '--rm', ...flags, 'groups', 'id', '-G'])).stdout.trim()
    assert.equal(await groups('--user', '1000:1234'), '1234')
    assert.equal(await groups('--user', 'someone'), '50 77')
    assert.equal(await groups('--user', '0:0'), '0')
    const read = (user: string) => at.engine.docker(['exec', '-u', user, 'grouped', 'cat', '/kept'])
    assert.notEqual((await read('1000:1234')).code, 0)
    assert.equal((await read('1000:5')).stdout, 'text')
    await at.remove('grouped')
  })

  test('files of users and groups without end are refused or read to a limit, and the engine answers meanwhile', async () => {
    await at.image('groupbomb', tree => {
      writeFileSync(join(tree, 'etc/passwd'), `root:x:0:0::/:/bin/sh\n${'a'.repeat(32 << 20)}`)
      writeFileSync(join(tree, 'etc/group'), `root:x:0:root${',root'.repeat(8 << 20)}\n`)
    })
    await at.image('groupmany', tree =>
      writeFileSync(join(tree, 'etc/group'), Array.from({ length: 30_000 }, (_, i) => `g${i}:x:${i}:root\n`).join('')),
    )
    const before = memory()
    for (const image of ['groupbomb', 'groupmany']) {
      const slowest = await at.slowestPing(at.run('--user', 'root', image, 'true'))
      assert.ok(slowest < 1000 * patience, `${image}: ${slowest.toFixed(0)} ms`)
    }
    assert.ok(memory() - before < 128, `${memory() - before} MiB more`)
  })

  /** Of the engine, resident, in MiB. */
  const memory = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${at.engine.pid}/status`, 'utf8'))![1]) / 1024

  test('messages too long for their fields: an error, or a container with namespaces of its own', async () => {
    const of = (pid: number | 'self') =>
      ['mnt', 'net', 'uts', 'pid', 'ipc'].map(kind => {
        try {
          return readlinkSync(`/proc/${pid}/ns/${kind}`)
        } catch {
          // it has ended
          return ''
        }
      })
    const own = of('self')
    const lengthy: Readonly<Record<string, object>> = {
      env: { Env: Array.from({ length: 5000 }, (_, i) => `NAME${i}=${'v'.repeat(20)}`) },
      hostname: { Hostname: 'h'.repeat(65_536) },
      domain: { Domainname: 'd'.repeat(65_536) },
      words: { Cmd: ['sleep', '1000', ...Array.from({ length: 70_000 }, () => 'x')] },
      workdir: { WorkingDir: `/${'w/'.repeat(40_000)}` },
      user: { User: '1'.repeat(65_536) },
      tmpfs: {
        HostConfig: { Tmpfs: Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`/t/${i}`, 'size=4k'])) },
      },
      sysctls: { HostConfig: { Sysctls: { [`net.ipv4.${'x'.repeat(70_000)}`]: '1' } } },
    }
    for (const [what, change] of Object.entries(lengthy)) {
      const made = await at.raw('POST', `/containers/create?name=long-${what}`, {
        Image: 'busybox',
        Cmd: ['sleep', '1000'],
        ...change,
      })
      if (made.status !== 201) {
        assert.equal(made.status, 400, `${what}: ${made.text.slice(0, 200)}`)
        continue
      }
      const started = await at.raw('POST', `/containers/long-${what}/start`)
      if (started.status === 204) {
        const { State } = await at.inspect(`long-${what}`)
        for (const [i, each] of of(State.Pid).entries()) assert.notEqual(each, own[i], what)
      } else
        assert.ok(
          started.status < 500 || /^\{"message":"Cannot /.test(started.text),
          `${what}: ${started.text.slice(0, 300)}`,
        )
      await at.raw('DELETE', `/containers/long-${what}?force=1`)
    }
    assert.ok((await at.ping()) < 1000 * patience)
  })

  test('forty containers made at once have each their own variables, labels, mounts and rights', async () => {
    const numbers = Array.from({ length: 40 }, (_, i) => i)
    const body = (i: number) => ({
      Image: 'busybox',
      Cmd: ['sh', '-c', 'env; grep CapBnd /proc/self/status; ls /'],
      Env: [`FOO=${i}`, `ONLY${i}=1`],
      Labels: { [`label${i}`]: String(i) },
      HostConfig: {
        NetworkMode: 'none',
        Tmpfs: { [`/own${i}`]: '' },
        ...(i % 2 === 0 ? { CapDrop: ['ALL'] } : { CapAdd: ['SYS_TIME'] }),
      },
    })
    const answers = await Promise.all(numbers.map(i => at.raw('POST', `/containers/create?name=many${i}`, body(i))))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
    for (let i = 0; i < 40; i += 10)
      await Promise.all(numbers.slice(i, i + 10).map(n => at.raw('POST', `/containers/many${n}/start`)))
    for (const i of numbers) {
      await at.raw('POST', `/containers/many${i}/wait`)
      const { text } = await at.raw('GET', `/containers/many${i}/logs?stdout=1`)
      assert.deepEqual(text.match(/(FOO|ONLY\d+)=\d+|own\d+/g)?.sort(), [`FOO=${i}`, `ONLY${i}=1`, `own${i}`].sort())
      assert.equal(/CapBnd:\t0{16}/.test(text), i % 2 === 0, text)
      const { Config } = JSON.parse((await at.raw('GET', `/containers/many${i}/json`)).text)
      assert.deepEqual(Config.Labels, { [`label${i}`]: String(i) })
    }
    await at.remove(...numbers.map(i => `many${i}`))
  })

  test('variables and libraries of an image reach no process of the host', async () => {
    const preload = [
      '-c',
      'ENV LD_PRELOAD=/evil.so',
      '-c',
      'ENV NODE_OPTIONS=--require=/evil.js',
      '-c',
      'ENV PATH=/evil:/bin',
    ]
    await at.image(
      'preload',
      tree => {
        writeFileSync(join(tree, 'evil.so'), 'no library')
        mkdirSync(join(tree, 'evil'))
        for (const tool of ['ip', 'nft', 'ps', 'tar', 'nsenter', 'mount'])
          writeFileSync(join(tree, 'evil', tool), '#!/bin/sh\ntouch /marker\n', { mode: 0o755 })
      },
      ...preload,
    )
    const health = ['--health-cmd', 'true', '--health-interval', '1s']
    await at.begin('loaded', ...health, 'preload', 'sh', '-c', 'sleep 1000; true')
    const { Pid } = (await at.inspect('loaded')).State
    const monitor = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${Pid}/status`, 'utf8'))![1]!
    for (const pid of [monitor, String(at.engine.pid)]) {
      assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'utf8'), /evil/)
      assert.doesNotMatch(readFileSync(`/proc/${pid}/maps`, 'utf8'), /evil|\/data\//)
    }
    // what enters a container loads nothing on its way
    assert.ok(!hasInterpreter(readFileSync(`/proc/${monitor}/exe`)), 'the monitor takes libraries')
    for (const words of [
      ['top', 'loaded'],
      ['stats', '--no-stream', 'loaded'],
      ['cp', 'loaded:/etc/passwd', '-'],
      ['diff', 'loaded'],
    ])
      assert.equal((await at.engine.docker(words)).code, 0, words.join(' '))
    assert.equal((await at.raw('GET', '/containers/loaded/export')).status, 200)
    const looked = await at.engine.docker(['exec', 'loaded', 'ls', '/marker'])
    assert.match(looked.stderr, /No such file/)
    await at.remove('loaded')
  })

  test('control characters of a container drive no terminal of whoever looks at it', async () => {
    const evil = '\x1b]0;owned\x07\x1b[2J\u009b2J'
    const stack = at.engine.stack(
      JSON.stringify({
        services: {
          web: {
            image: 'busybox',
            command: ['sh', '-c', 'exec sleep 1000', evil],
            labels: { evil },
            environment: { EVIL: evil },
            stop_grace_period: '0s',
            healthcheck: {
              test: ['CMD', 'sh', '-c', 'printf "\\033]0;owned\\007\\033[2J"; exit 1'],
              interval: '1s',
              retries: 1,
            },
          },
          gone: { image: 'busybox', command: ['sh', '-c', 'printf "\\033]0;owned\\007"; exit 3'] },
          titled: { image: 'busybox', command: [`/bin/sh`, '-c', `sleep 1000; : ${evil}`], stop_grace_period: '0s' },
        },
      }),
    )
    const driving = /[\0-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\x80-\x9f]|\x1b(?!\[[\d;]*m)/
    const shown = async (...args: readonly string[]) => {
      const said = await stack.try(...args)
      const found = driving.exec(all(said))
      assert.equal(found && JSON.stringify(all(said).slice(found.index - 40, found.index + 40)), null, args.join(' '))
      return said
    }
    await shown('up', '-d')
    await shown('up', '-d', '--wait')
    for (const args of [
      ['ps', '-a'],
      ['ps', '-a', '--no-trunc'],
      ['ps', '-a', '--format', 'json'],
      ['top'],
      ['images'],
      ['ls'],
      ['plan'],
      ['stats', '--no-stream'],
      ['explain', 'web'],
      ['explain', '--steps', 'web'],
      ['history'],
      ['audit'],
      ['config'],
      ['convert'],
      ['exec', '-T', 'web', evil],
      ['exec', '-T', '-w', evil, 'web', 'true'],
      ['exec', '-T', '-u', evil, 'web', 'true'],
      ['events', '--since', '1h', '--until', '0s'],
      ['events', '--json', '--since', '1h', '--until', '0s'],
      ['down'],
    ])
      await shown(...args)
  })
})

/** Whether a loader puts libraries into this program first: an ELF program header of type PT_INTERP (elf(5)). */
function hasInterpreter(program: Buffer): boolean {
  const [start, size, count] = [Number(program.readBigUInt64LE(32)), program.readUInt16LE(54), program.readUInt16LE(56)]
  assert.equal(program.toString('latin1', 1, 4), 'ELF')
  return Array.from({ length: count }, (_, i) => program.readUInt32LE(start + i * size)).includes(3)
}
