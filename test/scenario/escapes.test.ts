/** Ways out of a container that were open in some engine once; each is tried here against a canary on the host. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command, type Said } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root, which } from '../support/needs.ts'
import { tinyTar } from '../support/tiny-image.ts'

const secret = 'CANARY-SECRET'

describe('no way out:', {
  skip: lacking(root(), program('busybox'), program('nft'), program('docker'), program('tar')),
}, () => {
  let engine: TestEngine
  let canary: string
  before(async () => {
    engine = await TestEngine.start()
    canary = join(engine.folder, 'canary')
    mkdirSync(canary, { mode: 0o755 })
    writeFileSync(join(canary, 'victim'), secret)
  })
  after(async () => {
    assert.deepEqual(readdirSync(canary), ['victim'], 'something was made or removed outside')
    assert.equal(readFileSync(join(canary, 'victim'), 'utf8'), secret, 'something was written outside')
    await engine.stop()
  })

  /** Imports a busybox root that `change` has made hostile. */
  async function image(name: string, change: (root: string) => void, ...options: readonly string[]): Promise<string> {
    const tree = join(engine.folder, `root-${name}`)
    for (const folder of ['bin', 'etc', 'tmp']) mkdirSync(join(tree, folder), { recursive: true })
    copyFileSync(which('busybox')!, join(tree, 'bin/busybox'))
    for (const link of ['sh', 'cat', 'ls', 'id', 'sleep', 'pwd', 'mkdir', 'ln', 'rm', 'true', 'echo'])
      symlinkSync('busybox', join(tree, 'bin', link))
    writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\n')
    change(tree)
    const archive = join(engine.folder, `${name}.tar`)
    assert.equal((await command('tar', ['-C', tree, '--numeric-owner', '-cf', archive, '.'])).code, 0)
    const said = await engine.docker(['import', ...options, archive, `${name}:latest`])
    assert.equal(said.code, 0, said.stderr)
    return name
  }

  const run = (...args: readonly string[]): Promise<Said> =>
    engine.docker(['run', '--rm', ...args], { timeout: 20_000 })
  const all = (said: Said): string => said.stdout + said.stderr

  async function refused(reason: RegExp, ...args: readonly string[]): Promise<void> {
    const said = await run(...args)
    assert.notEqual(said.code, 0, args.join(' '))
    assert.match(said.stderr, reason)
    assert.doesNotMatch(all(said), new RegExp(secret))
  }

  /** A request without a client's own tidying of paths and bodies. */
  function raw(
    method: string,
    path: string,
    body?: Buffer,
  ): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const socketPath = join(engine.folder, 'engine.sock')
      const headers = { 'content-type': path.includes('/archive') ? 'application/x-tar' : 'application/json' }
      const sent = request({ socketPath, method, path, headers }, answer => {
        const chunks: Buffer[] = []
        answer.on('data', chunk => chunks.push(chunk))
        answer.on('end', () => resolve({ status: answer.statusCode!, text: Buffer.concat(chunks).toString('latin1') }))
        answer.on('error', reject)
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  for (const place of ['proc', 'dev', 'sys'])
    test(`/${place} of the image is a link to the host`, async () => {
      const name = await image(`${place}link`, tree => symlinkSync(`../../../../../..${canary}`, join(tree, place)))
      await refused(/ELOOP/, name, 'ls', `/${place}`)
      await refused(/ELOOP/, '-t', name, 'ls', `/${place}`)
    })

  test('the files the engine binds over are links to the host, and land inside', async () => {
    const name = await image('etclinks', tree => {
      for (const file of ['hosts', 'hostname', 'resolv.conf']) symlinkSync(join(canary, file), join(tree, 'etc', file))
    })
    const said = await run(name, 'ls', canary)
    assert.deepEqual(said.stdout.trim().split('\n').sort(), ['hostname', 'hosts', 'resolv.conf'], said.stderr)
  })

  test('a mount point is in /proc, by its name or by a link', async () => {
    const name = await image('proclinks', tree => {
      symlinkSync('/proc', join(tree, 'p'))
      symlinkSync('/proc/self/fd', join(tree, 'fds'))
    })
    for (const target of ['/proc', '/proc/sys', '/a/../proc/1', '/p', '/p/sys/kernel', '/fds/3'])
      await refused(/inside \/proc|EACCES|ELOOP/, '-v', `${canary}:${target}`, name, 'true')
    const declared = await image('procvolume', () => undefined, '-c', 'VOLUME /proc')
    await refused(/Cannot mount on "\/proc": EACCES/, declared, 'true')
  })

  test('the working directory is a descriptor that was left open', async () => {
    assert.equal((await engine.docker(['run', '-d', '--name', 'fds', 'busybox', 'sleep', '1000'])).code, 0)
    for (let fd = 3; fd < 24; fd += 2) {
      await refused(/ELOOP|ENOENT/, '-w', `/proc/self/fd/${fd}`, 'busybox', 'ls', '../../..')
      const said = await engine.docker(['exec', '-w', `/proc/self/fd/${fd}`, 'fds', 'pwd'])
      assert.notEqual(said.code, 0, all(said))
    }
    await engine.docker(['rm', '-f', 'fds'])
  })

  test('users are numbers that are names, wrap around, or come from no file', async () => {
    const name = await image('users', tree =>
      writeFileSync(join(tree, 'etc/passwd'), '1000:x:0:0::/:/bin/sh\nbig:x:4294967296:0::/:/bin/sh\n'),
    )
    assert.match((await run('-u', '1000', name, 'id')).stdout, /^uid=1000/)
    for (const user of ['4294967296', '-1', '0x0', 'big', '1000:4294967296'])
      await refused(/range|unable to find/, '-u', user, name, 'id')
    for (const [kind, make] of [
      ['fifo', ['mkfifo']],
      ['zero', ['mknod', '-m', '666']],
    ] as const) {
      const hostile = await image(`passwd${kind}`, tree => rmSync(join(tree, 'etc/passwd')))
      const tree = join(engine.folder, `root-${hostile}`)
      await command(make[0], [...make.slice(1), join(tree, 'etc/passwd'), ...(kind === 'zero' ? ['c', '1', '5'] : [])])
      await command('tar', ['-C', tree, '-cf', join(engine.folder, 'again.tar'), '.'])
      await engine.docker(['import', join(engine.folder, 'again.tar'), `${hostile}:latest`])
      assert.equal((await run(hostile, 'true')).code, 0)
    }
  })

  test('a part of a volume is a link', async () => {
    await run(
      '-v',
      'parts:/v',
      'busybox',
      'sh',
      '-c',
      'mkdir -p /v/real; ln -s / /v/l; ln -s real /v/m; echo in > /v/real/f',
    )
    const mount = (part: string) => ['--mount', `type=volume,src=parts,dst=/x,volume-subpath=${part}`]
    assert.equal((await run(...mount('real'), 'busybox', 'cat', '/x/f')).stdout, 'in\n')
    assert.equal((await run(...mount('m'), 'busybox', 'cat', '/x/f')).stdout, 'in\n')
    for (const part of ['l', 'l/etc', '../..'])
      await refused(/escapes the base directory|relative/, ...mount(part), 'busybox', 'true')
  })

  test('files are copied in and out while the container swaps a folder for a link to the host', async () => {
    const swap = `mkdir /x; while :; do ln -sfn ${canary} /x/l; rm /x/l; mkdir /x/l; echo own > /x/l/victim; rm -r /x/l; done`
    assert.equal((await engine.docker(['run', '-d', '--name', 'racer', 'busybox', 'sh', '-c', swap])).code, 0)
    const archive = await tinyTar({ victim: 'overwritten', 'new/file': 'made' })
    for (let i = 0; i < 150; i++) {
      await raw('PUT', '/containers/racer/archive?path=/x/l', archive)
      assert.doesNotMatch((await raw('GET', '/containers/racer/archive?path=/x/l/victim')).text, new RegExp(secret))
      assert.doesNotMatch((await raw('GET', '/containers/racer/archive?path=/x')).text, new RegExp(secret))
    }
    await engine.docker(['rm', '-f', 'racer'])
  })

  test('files are copied into a container that does not run, through its links', async () => {
    const name = await image('stopped', tree => symlinkSync(canary, join(tree, 'l')))
    await engine.docker(['create', '--name', 'still', name, 'true'])
    const sly = await tinyTar({
      'up/': { type: 'directory' },
      up2: { type: 'symlink', linkname: canary },
      'up2/made': 'made',
    })
    await raw('PUT', '/containers/still/archive?path=/', sly)
    await raw('PUT', '/containers/still/archive?path=/', await tinyTar({ 'l/victim': 'x', '../../../victim': 'x' }))
    await raw('PUT', '/containers/still/archive?path=/l', await tinyTar({ victim: 'x' }))
    const linked = await tinyTar({ h: { type: 'link', linkname: `${canary}/victim` } })
    await raw('PUT', '/containers/still/archive?path=/', linked)
    assert.doesNotMatch((await raw('GET', '/containers/still/archive?path=/')).text, new RegExp(secret))
    await engine.docker(['rm', 'still'])
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
        const { status } = await raw(method, path)
        assert.ok(status >= 400 && status < 500, `${method} ${path.slice(0, 60)}: ${status}`)
      }
    for (const name of ['../canary', '..', '.', 'a/b', 'a\0b', '\x1b]0;x', '', '__proto__/x', 'x'.repeat(5000)]) {
      const made = [
        ['/volumes/create', { Name: name }],
        ['/networks/create', { Name: name }],
      ] as const
      for (const [path, body] of made) {
        // one is made up for a volume; the others are kept by their ids, and a name may be of any length
        if (path.startsWith('/volumes') ? name === '' : name.length > 1000) continue
        const { status, text } = await raw('POST', path, Buffer.from(JSON.stringify(body)))
        assert.equal(status, 400, `${path} ${JSON.stringify(name).slice(0, 40)}: ${text.slice(0, 200)}`)
      }
      if (name === '' || name.length > 1000) continue
      const create = `/containers/create?name=${encodeURIComponent(name)}`
      const { status, text } = await raw('POST', create, Buffer.from('{"Image":"busybox"}'))
      assert.equal(status, 400, `${JSON.stringify(name).slice(0, 40)}: ${text.slice(0, 200)}`)
    }
  })

  test('folders nested without end: the container is listed, copied and removed, and the engine answers meanwhile', async () => {
    // no path may be as long, but a chain of folders can be moved to the end of another
    const nest = `p=d; for i in $(seq 900); do p=$p/d; done; mkdir /n
      for k in 1 2 3 4; do mkdir -p /t/$p && mv /n /t/$p/n && mv /t /n || exit 1; done`
    const made = await engine.docker(['run', '--name', 'deep', 'busybox', 'sh', '-c', nest], { timeout: 30_000 })
    assert.equal(made.code, 0, made.stderr)
    // both may refuse, or break off
    const work = Promise.allSettled([
      raw('GET', '/containers/deep/changes'),
      raw('GET', '/containers/deep/archive?path=/n'),
    ])
    assert.equal((await raw('GET', '/_ping')).text, 'OK')
    await work
    assert.equal((await engine.docker(['rm', 'deep'], { timeout: 20_000 })).code, 0)
    assert.equal((await raw('GET', '/_ping')).text, 'OK')
  })

  test('what a container starts in the host’s pid namespace ends with it', async () => {
    const said = await run('--pid', 'host', 'busybox', 'sh', '-c', 'sleep 54321 >/dev/null 2>&1 & echo $!')
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
          await engine.docker(['run', '-d', '--name', `half${wait}-${i}`, 'busybox', 'sleep', '54322'], {
            timeout: 5000,
          })
          await engine.docker(['rm', '-f', `half${wait}-${i}`], { timeout: 5000 })
        }
      })()
      await new Promise(resolve => setTimeout(resolve, wait))
      await engine.halt('SIGKILL')
      await engine.boot()
      await work
    }
    const { stdout } = await engine.docker(['ps', '-aq'])
    for (const id of stdout.split('\n').filter(Boolean)) await engine.docker(['rm', '-f', id])
    const left = () => readdirSync(join(engine.folder, 'data/containers'))
    await eventually('empty folders', () => left().length === 0)
    const alive = await command('busybox', ['pgrep', '-f', '^sleep 54322$'])
    assert.equal(alive.stdout, '', 'a process that no engine knows of')
  })
})
