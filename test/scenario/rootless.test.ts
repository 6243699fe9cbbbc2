/** The whole engine as an ordinary user: started by a command, used, killed, ended; clients keep their addresses, and nothing is left. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command, type Said } from '../support/command.ts'
import { compiled } from '../support/compiled.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { lacking, program, root, which } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { TestUser } from '../support/user.ts'

const skip = lacking(
  root(),
  program('busybox'),
  program('nft'),
  program('ip'),
  program('newuidmap'),
  program('useradd'),
)

const udpServer = fileURLToPath(new URL('../support/udp-server.c', import.meta.url))

/** They take the network to be made: the set-up makes them where nothing may be skipped. */
const guestbookImages = ['nginx', 'node', 'redis']
const cached = fileURLToPath(new URL('../../node_modules/.cache/images', import.meta.url))
const areMade = guestbookImages.every(name => existsSync(join(cached, `${name}.tar.gz`)))

/** Of RFC 5737, for documentation: ours, and the client's. */
const [near, far] = ['198.51.100.1', '198.51.100.2']
const client = `tsc-rl${process.pid}`

describe('an engine of an ordinary user', { skip }, () => {
  let user: TestUser
  let stack: string
  let port: number
  let hadRoute = true
  before(async () => {
    user = await TestUser.make()
    port = await freePort(4)
    // a client on another machine, and by it a way into the world where there is none
    await ok(command('ip', ['netns', 'add', client]))
    await ok(command('ip', ['link', 'add', 'tscr0', 'type', 'veth', 'peer', 'name', 'tscr1', 'netns', client]))
    await ok(command('ip', ['addr', 'add', `${near}/24`, 'dev', 'tscr0']))
    await ok(command('ip', ['link', 'set', 'tscr0', 'up']))
    await ok(command('ip', ['-n', client, 'addr', 'add', `${far}/24`, 'dev', 'tscr1']))
    await ok(command('ip', ['-n', client, 'link', 'set', 'tscr1', 'up']))
    hadRoute = (await command('ip', ['route', 'show', 'default'])).stdout !== ''
    if (!hadRoute) await ok(command('ip', ['route', 'add', 'default', 'via', far]))
    stack = await folder('web', {
      'compose.yaml': `
services:
  web:
    image: busybox
    command: sh -c 'mkdir -p /www && echo hello > /www/index.html && exec httpd -f -v -p 80 -h /www'
    ports: ['${port}:80', '127.0.0.1:${port + 1}:80', '${port + 3}:81/udp']
    volumes: ['data:/data', './shown:/shown']
    mem_limit: 64m
    stop_grace_period: 0s
  other:
    image: busybox
    command: sleep 1000
    stop_grace_period: 0s
volumes: { data: {} }
`,
      'shown/file': 'of the user\n',
    })
    const made = await user.as(join(user.project, 'examples/make-images'), ['busybox'], {
      env: { DOCKER_HOST: `unix://${user.socket}`, TMPDIR: '/tmp' },
    })
    // no command of ours has started an engine yet
    assert.notEqual(made.code, 0)
    assert.equal(existsSync(user.socket), false)
  })
  after(async () => {
    if (!hadRoute) await command('ip', ['route', 'del', 'default', 'via', far])
    await command('ip', ['link', 'del', 'tscr0'])
    await command('ip', ['netns', 'del', client])
    await user.remove()
  })

  async function folder(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const path = join(user.home, name)
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(path, file)), { recursive: true })
      writeFileSync(join(path, file), text)
    }
    await ok(command('chown', ['-R', `${user.name}:`, path]))
    return path
  }

  const tsc = (...args: readonly string[]) => user.tscompose(args, { cwd: stack })
  const request = 'GET / HTTP/1.0\\r\\n\\r\\n'
  const fromAfar = ['ip', 'netns', 'exec', client]
  /** All that a web server says; in another network namespace by the words in front. */
  const ask = (host: string, number: number, text: string, words: readonly string[] = []) => {
    const script = `exec 3<>/dev/tcp/${host}/${number} && printf '${text}' >&3 && cat <&3`
    const [first, ...rest] = [...words, 'bash', '-c', script]
    return command(first!, rest, { timeout: 30_000 })
  }
  const lastLine = (said: Said): Said => ({ ...said, stdout: said.stdout.replace(/^[\s\S]*\r\n\r\n/, '') })
  const get = async (host: string, number: number) => lastLine(await ask(host, number, request))
  const getFromAfar = async (number: number) => lastLine(await ask(near, number, request, fromAfar))

  test('a command starts it, and says what will not work', async () => {
    const said = await ok(tsc('ps'))
    if (which('pasta')) assert.doesNotMatch(said.stderr, /nothing outside/)
    const status = await ok(user.tscompose(['engine', 'status']))
    assert.match(status.stdout, new RegExp(`at unix://${user.socket}`))
    assert.match(status.stdout, new RegExp(`data +${user.home}/.local/share/tscompose \\(overlay2\\)`))
    if (existsSync('/sys/fs/cgroup/memory')) assert.match(status.stdout, /warning +No limit is in force/)
    await ok(
      user.as(join(user.project, 'examples/make-images'), ['busybox'], {
        env: { DOCKER_HOST: `unix://${user.socket}` },
      }),
    )
  })

  test('what it keeps is for nobody else', () => {
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
    assert.equal(mode(join(user.run, 'tscompose')), '700')
    assert.equal(mode(join(user.home, '.local/share/tscompose')), '700')
    for (const name of readdirSync(join(user.run, 'tscompose'), { recursive: false }) as string[]) {
      const path = join(user.run, 'tscompose', name)
      if (!statSync(path).isDirectory()) assert.match(mode(path), /^6[06]0$/, name)
      assert.equal(statSync(path).uid, user.uid, name)
    }
  })

  test('a stack comes up, and its limits are in force or told of by their names', async () => {
    const said = await ok(tsc('up', '-d'))
    const limit = await user.tscompose(['exec', '-T', 'web', 'cat', '/sys/fs/cgroup/memory.max'], { cwd: stack })
    if (user.isLogged) assert.equal(limit.stdout, `${64 * 1024 * 1024}\n`, limit.stderr)
    else assert.match(said.stderr, /HostConfig\.Memory is not in force: this engine has no root rights/)
  })

  test('root inside is the user, and others are ids that were given to it', async () => {
    const said = await ok(
      tsc(
        'exec',
        '-T',
        'web',
        'sh',
        '-c',
        'cat /shown/file && echo x > /shown/mine && chown 33:33 /data && echo x > /data/own && stat -c %u /data',
      ),
    )
    assert.equal(said.stdout, 'of the user\n33\n')
    assert.equal(statSync(join(stack, 'shown/mine')).uid, user.uid)
    const data = join(user.home, '.local/share/tscompose/volumes/web_data/_data')
    assert.ok(statSync(data).uid >= 100_000)
  })

  test('containers find one another by name', async () =>
    assert.match((await ok(tsc('exec', '-T', 'other', 'wget', '-qO-', 'http://web'))).stdout, /hello/))

  test("a published port shows the client's own address", async () => {
    assert.equal((await ok(getFromAfar(port))).stdout, 'hello\n')
    assert.equal((await ok(get('127.0.0.1', port))).stdout, 'hello\n')
    await eventually('the address in the log', async () => (await ok(tsc('logs', 'web'))).stdout.includes(`${far}]:`))
  })

  test('datagrams come and go by a published port, from here and from afar', {
    skip: lacking(program('gcc')),
  }, async () => {
    await compiled(join(stack, 'shown'), udpServer)
    await ok(tsc('exec', '-d', '-e', 'TAG=tagged', 'web', '/shown/udp-server', '81'))
    const ask = async (host: string, word: string, words: readonly string[] = []) => {
      const script = `exec 3<>/dev/udp/${host}/${port + 3}; printf ${word} >&3; timeout 3 head -c ${word.length + 7} <&3`
      const [first, ...rest] = [...words, 'bash', '-c', script]
      return (await command(first!, rest, { timeout: 30_000 })).stdout
    }
    await eventually('an answer', async () => (await ask('127.0.0.1', 'first')) === 'first tagged')
    const answers = ['one', 'two', 'three'].flatMap(word => [ask('127.0.0.1', word), ask(near, word, fromAfar)])
    assert.deepEqual(
      await Promise.all(answers),
      ['one', 'two', 'three'].flatMap(word => [`${word} tagged`, `${word} tagged`]),
    )
  })

  test('a port of the loopback is of the loopback alone', async () => {
    assert.equal((await ok(get('127.0.0.1', port + 1))).stdout, 'hello\n')
    assert.notEqual((await getFromAfar(port + 1)).code, 0)
  })

  test('what the kernel refuses a user is told: a port of root, and one that is taken', async () => {
    const taken = createServer().listen(0, '0.0.0.0')
    await new Promise(resolve => taken.once('listening', resolve))
    const { port: number } = taken.address() as { port: number }
    try {
      for (const [place, expected] of [
        [`${number}:80`, /address already in use/],
        ['1:80', /permission denied[\s\S]*ip_unprivileged_port_start/],
      ] as const) {
        const place2 = await folder('refused', {
          'compose.yaml': `services: { web: { image: busybox, command: sleep 9, ports: ['${place}'] } }`,
        })
        const said = await user.tscompose(['up', '-d'], { cwd: place2 })
        assert.notEqual(said.code, 0)
        assert.match(said.stderr, expected)
        await ok(user.tscompose(['down'], { cwd: place2 }))
      }
    } finally {
      taken.close()
    }
  })

  test('an image is built: owners, folders that hide others, and files that go', async () => {
    const context = await folder('build', {
      'compose.yaml': 'services: { built: { build: ., image: built, command: "true" } }',
      Dockerfile: `FROM busybox
RUN mkdir /gone /again && echo one > /gone/a && echo two > /again/b && echo three > /c && chown 1000:2000 /c
RUN rm -r /gone /again && mkdir /again && echo new > /again/d && rm /c
RUN test ! -e /gone && test ! -e /again/b && test -e /again/d && test ! -e /c && echo fine > /fine && chown 65534:65534 /fine
`,
    })
    await ok(user.tscompose(['build'], { cwd: context }))
    const said = await ok(
      user.tscompose(['run', '--rm', '-T', 'built', 'sh', '-c', 'ls /again && stat -c %u:%g /fine'], { cwd: context }),
    )
    assert.equal(said.stdout, 'd\n65534:65534\n')
    await ok(user.tscompose(['down'], { cwd: context }))
  })

  test('containers reach the host by its address, and nothing on its loopback', {
    skip: lacking(program('pasta')),
  }, async () => {
    const server = http.createServer((_, response) => response.end('from the host\n')).listen(0, '0.0.0.0')
    await new Promise(resolve => server.once('listening', resolve))
    const { port: number } = server.address() as { port: number }
    // the one by which it reaches the world, and another
    const [route] = JSON.parse((await ok(command('ip', ['-json', 'route', 'get', '192.0.2.99']))).stdout)
    try {
      for (const address of [near, route.prefsrc]) {
        const said = await ok(tsc('exec', '-T', 'other', 'sh', '-c', `wget -qO- http://${address}:${number}`))
        assert.equal(said.stdout, 'from the host\n', address)
      }
      const loopback = await tsc('exec', '-T', 'other', 'sh', '-c', `wget -qO- http://127.0.0.1:${number}`)
      assert.notEqual(loopback.code, 0)
    } finally {
      server.close()
    }
  })

  test("the guestbook comes up, is signed from afar and goes; its log has the client's address", {
    skip: lacking(!areMade && `examples/make-images --archives ${guestbookImages.join(' ')}`),
  }, async () => {
    await ok(
      user.as(join(user.project, 'examples/make-images'), guestbookImages, {
        env: { DOCKER_HOST: `unix://${user.socket}` },
        timeout: 300_000,
      }),
    )
    const book = join(user.home, 'guestbook')
    cpSync(join(user.project, 'examples/guestbook'), book, { recursive: true })
    const patient = { timeout: `${30 * patience}s`, start_period: `${15 * patience}s` }
    const services = Object.fromEntries(['proxy', 'web', 'store'].map(name => [name, { healthcheck: patient }]))
    if (patience > 1) writeFileSync(join(book, 'compose.override.yaml'), JSON.stringify({ services }))
    await ok(command('chown', ['-R', `${user.name}:`, book]))
    const run = (...args: readonly string[]) =>
      ok(user.tscompose(args, { cwd: book, timeout: 240_000, env: { GUESTBOOK_PORT: String(port + 2) } }))
    await run('up', '-d', '--wait')
    const entry = 'from another machine'
    await ok(ask(near, port + 2, `POST / HTTP/1.0\\r\\nContent-Length: ${entry.length}\\r\\n\\r\\n${entry}`, fromAfar))
    assert.match((await ok(ask(near, port + 2, request, fromAfar))).stdout, /from another machine/)
    await eventually('the address in the log', async () => (await run('logs', 'proxy')).stdout.includes(`${far} - - `))
    await run('down', '-v')
  })

  test('an engine that is killed: ports lead on, and the next one takes over', async () => {
    const pid = (await ok(command('pgrep', ['-u', user.name, '-f', 'engine/start.cjs|@engine']))).stdout.trim()
    process.kill(Number(pid), 'SIGKILL')
    await eventually('its end', () => !existsSync(`/proc/${pid}`))
    assert.equal((await ok(getFromAfar(port))).stdout, 'hello\n')
    assert.match((await ok(tsc('ps'))).stdout, /web-web-1 .* Up /)
    assert.equal((await ok(tsc('exec', '-T', 'web', 'echo', 'there'))).stdout, 'there\n')
    assert.equal((await ok(getFromAfar(port))).stdout, 'hello\n')
  })

  test('an engine that is stopped leaves its containers to the next one, and nothing once there are none', async () => {
    await ok(user.tscompose(['engine', 'stop']))
    assert.equal((await ok(get('127.0.0.1', port))).stdout, 'hello\n')
    await ok(tsc('down', '-v'))
    assert.notEqual((await get('127.0.0.1', port)).code, 0)
    await ok(user.tscompose(['engine', 'stop']))
    await eventually(
      'the end of all its processes',
      () => user.processes().length === 0 || assert.fail(user.processes().join('\n')),
    )
    const groups = user.isLogged ? (await command('find', ['/sys/fs/cgroup', '-name', 'tscompose*'])).stdout : ''
    assert.equal(groups, '')
  })
})

async function ok(saying: Promise<Said>): Promise<Said> {
  const said = await saying
  assert.equal(said.code, 0, `${said.stdout}${said.stderr}`)
  return said
}
