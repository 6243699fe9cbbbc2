/** Ways out of a container by paths and names that were open in some engine once; each is tried here against a canary on the host. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command } from '../../support/command.ts'
import { eventually } from '../../support/eventually.ts'
import { all, Hostile, hostileSkip, secret } from '../../support/hostile.ts'
import { tinyTar } from '../../support/tiny-image.ts'

describe('no way out by paths:', { skip: hostileSkip() }, () => {
  let at: Hostile
  let canary: string
  before(async () => {
    at = await Hostile.start()
    canary = at.canary
  })
  after(() => at.stop())

  for (const place of ['proc', 'dev', 'sys'])
    test(`/${place} of the image is a link to the host`, async () => {
      const name = await at.image(`${place}link`, tree => symlinkSync(`../../../../../..${canary}`, join(tree, place)))
      await at.refused(/ELOOP/, name, 'ls', `/${place}`)
      await at.refused(/ELOOP/, '-t', name, 'ls', `/${place}`)
    })

  test('the files the engine binds over are links to the host, and land inside', async () => {
    const name = await at.image('etclinks', tree => {
      for (const file of ['hosts', 'hostname', 'resolv.conf']) symlinkSync(join(canary, file), join(tree, 'etc', file))
    })
    const said = await at.run(name, 'ls', canary)
    assert.deepEqual(said.stdout.trim().split('\n').sort(), ['hostname', 'hosts', 'resolv.conf'], said.stderr)
  })

  test('a mount point is in /proc, by its name or by a link', async () => {
    const name = await at.image('proclinks', tree => {
      symlinkSync('/proc', join(tree, 'p'))
      symlinkSync('/proc/self/fd', join(tree, 'fds'))
    })
    for (const target of ['/proc', '/proc/sys', '/a/../proc/1', '/p', '/p/sys/kernel', '/fds/3'])
      await at.refused(/inside \/proc|EACCES|ELOOP/, '-v', `${canary}:${target}`, name, 'true')
    const declared = await at.image('procvolume', () => undefined, '-c', 'VOLUME /proc')
    await at.refused(/Cannot mount on "\/proc": EACCES/, declared, 'true')
  })

  test('the working directory is a descriptor that was left open', async () => {
    assert.equal((await at.engine.docker(['run', '-d', '--name', 'fds', 'busybox', 'sleep', '1000'])).code, 0)
    for (let fd = 3; fd < 24; fd += 2) {
      await at.refused(/ELOOP|ENOENT/, '-w', `/proc/self/fd/${fd}`, 'busybox', 'ls', '../../..')
      const said = await at.engine.docker(['exec', '-w', `/proc/self/fd/${fd}`, 'fds', 'pwd'])
      assert.notEqual(said.code, 0, all(said))
    }
    await at.engine.docker(['rm', '-f', 'fds'])
  })

  test('users are numbers that are names, wrap around, or come from no file', async () => {
    const name = await at.image('users', tree =>
      writeFileSync(join(tree, 'etc/passwd'), '1000:x:0:0::/:/bin/sh\nbig:x:4294967296:0::/:/bin/sh\n'),
    )
    assert.match((await at.run('-u', '1000', name, 'id')).stdout, /^uid=1000/)
    for (const user of ['4294967296', '-1', '0x0', 'big', '1000:4294967296'])
      await at.refused(/range|unable to find/, '-u', user, name, 'id')
    for (const [kind, make] of [
      ['fifo', ['mkfifo']],
      ['zero', ['mknod', '-m', '666']],
    ] as const) {
      const hostile = await at.image(`passwd${kind}`, tree => rmSync(join(tree, 'etc/passwd')))
      const tree = join(at.engine.folder, `root-${hostile}`)
      await command(make[0], [...make.slice(1), join(tree, 'etc/passwd'), ...(kind === 'zero' ? ['c', '1', '5'] : [])])
      await command('tar', ['-C', tree, '-cf', join(at.engine.folder, 'again.tar'), '.'])
      await at.engine.docker(['import', join(at.engine.folder, 'again.tar'), `${hostile}:latest`])
      assert.equal((await at.run(hostile, 'true')).code, 0)
    }
  })

  test('a part of a volume is a link', async () => {
    await at.run(
      '-v',
      'parts:/v',
      'busybox',
      'sh',
      '-c',
      'mkdir -p /v/real; ln -s / /v/l; ln -s real /v/m; echo in > /v/real/f',
    )
    const mount = (part: string) => ['--mount', `type=volume,src=parts,dst=/x,volume-subpath=${part}`]
    assert.equal((await at.run(...mount('real'), 'busybox', 'cat', '/x/f')).stdout, 'in\n')
    assert.equal((await at.run(...mount('m'), 'busybox', 'cat', '/x/f')).stdout, 'in\n')
    for (const part of ['l', 'l/etc', '../..'])
      await at.refused(/escapes the base directory|relative/, ...mount(part), 'busybox', 'true')
  })

  test('files are copied in and out while the container swaps a folder for a link to the host', async () => {
    const swap = `mkdir /x; while :; do ln -sfn ${canary} /x/l; rm /x/l; mkdir /x/l; echo own > /x/l/victim; rm -r /x/l; done`
    assert.equal((await at.engine.docker(['run', '-d', '--name', 'racer', 'busybox', 'sh', '-c', swap])).code, 0)
    const archive = await tinyTar({ victim: 'overwritten', 'new/file': 'made' })
    for (let i = 0; i < 150; i++) {
      await at.raw('PUT', '/containers/racer/archive?path=/x/l', archive)
      assert.doesNotMatch((await at.raw('GET', '/containers/racer/archive?path=/x/l/victim')).text, new RegExp(secret))
      assert.doesNotMatch((await at.raw('GET', '/containers/racer/archive?path=/x')).text, new RegExp(secret))
    }
    await at.engine.docker(['rm', '-f', 'racer'])
  })

  test('files are copied into a container that does not run, through its links', async () => {
    const name = await at.image('stopped', tree => symlinkSync(canary, join(tree, 'l')))
    await at.engine.docker(['create', '--name', 'still', name, 'true'])
    const sly = await tinyTar({
      'up/': { type: 'directory' },
      up2: { type: 'symlink', linkname: canary },
      'up2/made': 'made',
    })
    await at.raw('PUT', '/containers/still/archive?path=/', sly)
    await at.raw('PUT', '/containers/still/archive?path=/', await tinyTar({ 'l/victim': 'x', '../../../victim': 'x' }))
    await at.raw('PUT', '/containers/still/archive?path=/l', await tinyTar({ victim: 'x' }))
    const linked = await tinyTar({ h: { type: 'link', linkname: `${canary}/victim` } })
    await at.raw('PUT', '/containers/still/archive?path=/', linked)
    assert.doesNotMatch((await at.raw('GET', '/containers/still/archive?path=/')).text, new RegExp(secret))
    await at.engine.docker(['rm', 'still'])
  })

  test('names that are paths, markup or nothing reach no file and no second handler', async () => {
    const hostile = [
      '..%2fcanary',
      '%2e%2e',
      'a%00b',
      '%1b%5d0;x',
      `${'n'.repeat(4000)}`,
      '__proto__',
      '..',
      '%2Fetc',
      '*',
    ]
    for (const name of hostile)
      for (const [method, path] of [
        ['GET', `/containers/${name}/json`],
        ['DELETE', `/containers/${name}?force=1`],
        ['POST', `/containers/${name}/start`],
        ['GET', `/exec/${name}/json`],
        ['DELETE', `/volumes/${name}`],
        ['GET', `/volumes/${name}`],
        ['DELETE', `/networks/${name}`],
        ['DELETE', `/images/${name}`],
      ] as const) {
        const { status } = await at.raw(method, path)
        assert.ok(status >= 400 && status < 500, `${method} ${path.slice(0, 60)}: ${status}`)
      }
    for (const name of ['../canary', '..', '.', 'a/b', 'a\0b', '\x1b]0;x', '', '__proto__/x', 'x'.repeat(5000)]) {
      const made = [
        ['/volumes/create', { Name: name }],
        ['/networks/create', { Name: name }],
      ] as const
      for (const [path, body] of made) {
        // one is made up for a volume; the others are kept by their ids, and a name may be of any length
        if (path.startsWith('/volumes') ? name === '' : name.length > 1000 || /^\.+$/.test(name)) continue
        const { status, text } = await at.raw('POST', path, Buffer.from(JSON.stringify(body)))
        assert.equal(status, 400, `${path} ${JSON.stringify(name).slice(0, 40)}: ${text.slice(0, 200)}`)
      }
      if (name === '' || name.length > 1000) continue
      const create = `/containers/create?name=${encodeURIComponent(name)}`
      const { status, text } = await at.raw('POST', create, Buffer.from('{"Image":"busybox"}'))
      assert.equal(status, 400, `${JSON.stringify(name).slice(0, 40)}: ${text.slice(0, 200)}`)
    }
  })

  test('a NUL in a path or a word is refused, wherever it stands', async () => {
    await at.begin('nul', 'busybox', 'sleep', '1000')
    const nul = 'a\0b'
    const cases: readonly (readonly [string, string, (Buffer | object)?])[] = [
      ['GET', '/containers/nul/archive?path=/a%00b'],
      ['HEAD', '/containers/nul/archive?path=/a%00b'],
      ['PUT', '/containers/nul/archive?path=/a%00b', await tinyTar({ x: 'x' })],
      ['POST', '/containers/nul/rename?name=a%00b'],
      ['POST', '/containers/create?name=a%00b', { Image: 'busybox' }],
      ['POST', '/containers/create', { Image: nul }],
      ...[{ Env: [nul] }, { WorkingDir: `/${nul}` }, { User: nul }, { Cmd: [nul] }, { Cmd: ['true', nul] }].map(
        change => ['POST', '/containers/nul/exec', { Cmd: ['true'], ...change }] as const,
      ),
      ['POST', '/volumes/create', { Name: nul }],
      ['POST', '/volumes/create', { DriverOpts: { type: 'none', o: 'bind', device: `/${nul}` } }],
      ['POST', '/networks/create', { Name: nul }],
      ['POST', '/networks/create', { Name: 'net', Options: { 'com.docker.network.bridge.name': nul } }],
      ['POST', '/images/busybox/tag?repo=a%00b&tag=x'],
      ['POST', '/commit?container=nul&repo=a%00b'],
      ['POST', '/build?dockerfile=a%00b', await tinyTar({ Dockerfile: 'FROM scratch\n' })],
      ['POST', '/images/create?fromImage=a%00b'],
      ['POST', '/images/create?fromSrc=-&repo=a%00b', await tinyTar({ x: 'x' })],
    ]
    for (const [method, path, body] of cases) {
      const what = `${method} ${path} ${JSON.stringify(body)?.slice(0, 80)}`
      const { status, text } = await at.raw(method, path, body)
      if (path !== '/containers/nul/exec' || status !== 201) {
        assert.ok(
          (status >= 400 && status < 500) || (status === 200 && /"error"/.test(text)),
          `${what}: ${status} ${text}`,
        )
        continue
      }
      const { Id } = JSON.parse(text)
      const began = await at.raw('POST', `/exec/${Id}/start`, { Detach: false })
      assert.notEqual(JSON.parse((await at.raw('GET', `/exec/${Id}/json`)).text).ExitCode, 0, `${what}: ${began.text}`)
      assert.ok(began.status < 500, `${what}: ${began.status} ${began.text}`)
    }
    await at.remove('nul')
  })

  test('folders nested without end: the container is listed, copied and removed, and the engine answers meanwhile', async () => {
    // no path may be as long, but a chain of folders can be moved to the end of another
    const nest = `p=d; for i in $(seq 900); do p=$p/d; done; mkdir /n
      for k in 1 2 3 4; do mkdir -p /t/$p && mv /n /t/$p/n && mv /t /n || exit 1; done`
    const made = await at.engine.docker(['run', '--name', 'deep', 'busybox', 'sh', '-c', nest], { timeout: 30_000 })
    assert.equal(made.code, 0, made.stderr)
    // both may refuse, or break off
    const work = Promise.allSettled([
      at.raw('GET', '/containers/deep/changes'),
      at.raw('GET', '/containers/deep/archive?path=/n'),
    ])
    assert.equal((await at.raw('GET', '/_ping')).text, 'OK')
    await work
    assert.equal((await at.engine.docker(['rm', 'deep'], { timeout: 20_000 })).code, 0)
    assert.equal((await at.raw('GET', '/_ping')).text, 'OK')
  })

  test('what a container starts in the host’s pid namespace ends with it', async () => {
    const said = await at.run('--pid', 'host', 'busybox', 'sh', '-c', 'sleep 54321 >/dev/null 2>&1 & echo $!')
    const pid = said.stdout.trim()
    assert.match(pid, /^\d+$/)
    await eventually(
      'its end',
      () => !existsSync(`/proc/${pid}`) || !/54321/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
    )
  })

  test('an engine killed while it starts and removes containers leaves nothing half made', async () => {
    for (const wait of [20, 60, 110, 170]) {
      const work = (async () => {
        for (let i = 0; i < 4; i++) {
          await at.engine.docker(['run', '-d', '--name', `half${wait}-${i}`, 'busybox', 'sleep', '54322'], {
            timeout: 5000,
          })
          await at.engine.docker(['rm', '-f', `half${wait}-${i}`], { timeout: 5000 })
        }
      })()
      await new Promise(resolve => setTimeout(resolve, wait))
      await at.engine.halt('SIGKILL')
      await at.engine.boot()
      await work
    }
    const { stdout } = await at.engine.docker(['ps', '-aq'])
    for (const id of stdout.split('\n').filter(Boolean)) await at.engine.docker(['rm', '-f', id])
    const left = () => readdirSync(join(at.engine.folder, 'data/containers'))
    await eventually('empty folders', () => left().length === 0)
    const alive = await command('busybox', ['pgrep', '-f', '^sleep 54322$'])
    assert.equal(alive.stdout, '', 'a process that no engine knows of')
  })
})
