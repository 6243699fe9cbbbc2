/** Stock buildx and Compose build on our engine by BuildKit's protocol, unmodified. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command, type Said } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, peerPlugin, program, root } from '../support/needs.ts'

const buildx = peerPlugin('docker-buildx')
const compose = peerPlugin('docker-compose')

describe('buildx', {
  skip: lacking(
    root(),
    program('busybox'),
    program('nft'),
    program('docker'),
    buildx ? false : 'docker-buildx (of the peers)',
  ),
}, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
    const plugins = join(engine.folder, 'docker-config/cli-plugins')
    mkdirSync(plugins, { recursive: true })
    for (const plugin of [buildx, compose]) if (plugin) symlinkSync(plugin, join(plugins, basename(plugin)))
  })
  after(() => engine.stop())

  let folders = 0
  /** A context with these files; its path. */
  const context = (files: Readonly<Record<string, string>>): string => {
    const folder = join(engine.folder, `context-${++folders}`)
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    return folder
  }

  interface Run {
    readonly env?: Readonly<Record<string, string>>
    readonly cwd?: string
    readonly input?: string | Buffer
  }
  const run = (args: readonly string[], { env, cwd, input }: Run = {}): Promise<Said> =>
    command(buildx!, args, { env: { ...engine.env, ...env }, cwd, input, timeout: 120_000 })
  const build = (folder: string, args: readonly string[] = [], options?: Run): Promise<Said> =>
    run(['build', '--progress', 'plain', ...args, folder], options)
  const ok = (said: Said): string => {
    assert.equal(said.code, 0, `${said.stdout}${said.stderr}\n${engine.log}`)
    return said.stdout + said.stderr
  }
  const inImage = async (image: string, ...args: readonly string[]): Promise<string> => {
    const said = await engine.docker(['run', '--rm', image, ...args])
    assert.equal(said.code, 0, said.stderr)
    return said.stdout
  }

  test('build --load makes an image that runs, step by step, and the same again from the cache', async () => {
    const folder = context({ Dockerfile: 'FROM busybox\nCOPY a.txt /a\nRUN cat /a > /b\n', 'a.txt': 'one\n' })
    const first = ok(await build(folder, ['--load', '-t', 'load:1']))
    assert.match(first, /\[2\/3\] COPY a\.txt \/a/)
    assert.match(first, /\[3\/3\] RUN cat \/a > \/b/)
    assert.match(first, /exporting to image/)
    assert.equal(await inImage('load:1', 'cat', '/b'), 'one\n')
    const again = ok(await build(folder, ['--load', '-t', 'load:1']))
    assert.equal(again.match(/CACHED/g)?.length, 3)
    writeFileSync(join(folder, 'a.txt'), 'another\n')
    ok(await build(folder, ['--load', '-t', 'load:1']))
    assert.equal(await inImage('load:1', 'cat', '/b'), 'another\n')
  })

  test('build takes of a context what its steps read, behind links too, and all of it where a step wants all', async () => {
    const folder = context({
      Dockerfile: 'FROM busybox\nCOPY link star[*] /got/\nCOPY --from=more part /part\n',
      'real/small': 'small\n',
      'star*': 'no class matches a star: the client sends it for no pattern\n',
      huge: 'x'.repeat(8 << 20),
      'more/part': 'part\n',
      'more/other': 'x'.repeat(8 << 20),
    })
    symlinkSync('real/small', join(folder, 'link'))
    const transferred = (said: string) =>
      [...said.matchAll(/transferring (?:context|more): ([\d.]+[kM]?B)/g)].map(m => m[1]!)
    const args = ['--load', '-t', 'part:1', '--build-context', `more=${join(folder, 'more')}`]
    const some = transferred(ok(await build(folder, args)))
    assert.ok(some.length >= 2, some.join())
    for (const size of some) assert.doesNotMatch(size, /MB/)
    assert.equal(await inImage('part:1', 'sh', '-c', 'cat /part /got/*'), 'part\nsmall\n')
    writeFileSync(join(folder, 'Dockerfile'), 'FROM busybox\nCOPY . /got/\n')
    assert.match(transferred(ok(await build(folder, args))).at(-1)!, /16\.\d+MB/)
    assert.equal(await inImage('part:1', 'sh', '-c', 'ls /got/more'), 'other\npart\n')
  })

  test('build shows the lines of a step that fails, with what it wrote', async () => {
    const said = await build(context({ Dockerfile: 'FROM busybox\nRUN echo first; exit 7\nRUN true\n' }))
    assert.equal(said.code, 1)
    assert.match(said.stderr, /Dockerfile:2\n-+\n {3}1 \| {5}FROM busybox\n {3}2 \| >>> RUN echo first; exit 7\n/)
    assert.match(said.stderr, /did not complete successfully: exit code: 7/)
    assert.match(said.stderr, /first/)
  })

  test('build says where a Dockerfile is wrong', async () => {
    const said = await build(context({ Dockerfile: 'FROM busybox\nRUNN true\n' }))
    assert.equal(said.code, 1)
    assert.match(said.stderr, /2 \| >>> RUNN true/)
    assert.match(said.stderr, /unknown instruction: RUNN/)
  })

  test('build fails at once for a Dockerfile that is not there', async () => {
    const said = await build(context({ x: '' }))
    assert.equal(said.code, 1)
    assert.match(said.stderr, /failed to read dockerfile: open Dockerfile: no such file or directory/)
  })

  test('secrets are there while a step runs, from a file and from a variable, and nowhere afterwards', async () => {
    const folder = context({
      Dockerfile: `FROM busybox
RUN --mount=type=secret,id=file cat /run/secrets/file > /dev/stderr; test "$(cat /run/secrets/file)" = "of a file"
RUN --mount=type=secret,id=env,env=TOKEN test "$TOKEN" = "of a variable"
RUN test ! -e /run/secrets/file && ! grep -r "of a variable" /etc /run
`,
      secret: 'of a file',
    })
    const args = ['-t', 'secret:1', '--secret', `id=file,src=${join(folder, 'secret')}`, '--secret', 'id=env,env=TOKEN']
    ok(await build(folder, args, { env: { TOKEN: 'of a variable' } }))
    const missing = await build(
      context({ Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=x,required=true true\n' }),
    )
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /secret x: not found/)
  })

  test('an SSH agent is reached through the socket of a step', async () => {
    const path = join(engine.folder, 'agent.sock')
    const asked: string[] = []
    // an agent that has no identities: SSH_AGENT_IDENTITIES_ANSWER, none
    const agent = createServer(socket =>
      socket.on('data', data => {
        asked.push(data.toString('hex'))
        socket.end(Buffer.from('000000050c00000000', 'hex'))
      }),
    )
    agent.listen(path)
    await once(agent, 'listening')
    try {
      const folder = context({
        'ask.c': askAgent,
        Dockerfile: 'FROM busybox\nCOPY ask /ask\nRUN --mount=type=ssh /ask | od -An -tx1 | tr -d " \\n"\n',
      })
      ok(await command('cc', ['-static', '-o', join(folder, 'ask'), join(folder, 'ask.c')]))
      const said = ok(await build(folder, ['--ssh', `default=${path}`]))
      assert.match(said, /000000050c00000000/)
      assert.deepEqual(asked, ['000000010b'])
    } finally {
      agent.close()
      rmSync(path, { force: true })
    }
  })

  test('cache mounts outlive a build', async () => {
    const dockerfile = (n: number) =>
      `FROM busybox\nRUN --mount=type=cache,target=/c echo ${n} >> /c/log; cp /c/log /log\n`
    ok(await build(context({ Dockerfile: dockerfile(1) }), ['-t', 'cache:1']))
    ok(await build(context({ Dockerfile: dockerfile(2) }), ['-t', 'cache:2']))
    assert.equal(await inImage('cache:2', 'cat', '/log'), '1\n2\n')
  })

  test('named contexts: a folder, an image, and what .dockerignore leaves out', async () => {
    const folder = context({
      Dockerfile: 'FROM base\nCOPY --from=assets . /assets\nCOPY . /ctx\n',
      keep: '1',
      'drop.log': '1',
      '.dockerignore': '*.log\n',
    })
    const assets = context({ 'logo.txt': 'logo\n' })
    ok(
      await build(folder, [
        ...['-t', 'contexts:1', '--build-context', `assets=${assets}`],
        ...['--build-context', 'base=docker-image://busybox'],
      ]),
    )
    assert.equal(await inImage('contexts:1', 'cat', '/assets/logo.txt'), 'logo\n')
    assert.equal(await inImage('contexts:1', 'ls', '/ctx'), 'Dockerfile\nkeep\n')
  })

  test('arguments, labels, target, and a Dockerfile from standard input', async () => {
    const folder = context({ x: '' })
    const text = 'FROM busybox AS one\nARG V\nRUN echo $V > /v\nFROM busybox AS two\nRUN false\n'
    const args = ['--build-arg', 'V=of-arg', '--label', 'team=a', '--target', 'one', '-t', 'args:1', '-f', '-']
    ok(await build(folder, args, { input: text }))
    assert.equal(await inImage('args:1', 'cat', '/v'), 'of-arg\n')
    const inspected = JSON.parse((await engine.docker(['image', 'inspect', 'args:1'])).stdout)
    assert.equal(inspected[0].Config.Labels.team, 'a')
  })

  test('a context from standard input, and results to a folder and an archive of the client', async () => {
    const folder = context({ Dockerfile: 'FROM scratch\nCOPY sub /sub\n', 'sub/hello.txt': 'hello\n' })
    const packed = join(engine.folder, 'context.tar')
    ok(await command('tar', ['-C', folder, '-cf', packed, '.']))
    const dest = join(engine.folder, 'out')
    ok(await build('-', ['-o', `type=local,dest=${dest}`], { input: readFileSync(packed) }))
    assert.equal(readFileSync(join(dest, 'sub/hello.txt'), 'utf8'), 'hello\n')
    ok(await build(folder, ['-o', `type=tar,dest=${join(engine.folder, 'out.tar')}`]))
    const listed = await command('tar', ['-tf', join(engine.folder, 'out.tar')])
    assert.match(listed.stdout, /sub\/hello\.txt/)
  })

  test('10,000 files are sent once', async t => {
    const files = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [`d${i % 100}/f${i}`, String(i)] as const),
    )
    const folder = context({
      ...files,
      Dockerfile: 'FROM busybox\nCOPY . /files\nRUN test $(find /files -type f | wc -l) = 10001\n',
    })
    let since = performance.now()
    ok(await build(folder, ['-t', 'many:1']))
    t.diagnostic(`first: ${Math.round(performance.now() - since)} ms`)
    since = performance.now()
    const again = ok(await build(folder, ['-t', 'many:1']))
    t.diagnostic(`again: ${Math.round(performance.now() - since)} ms`)
    assert.equal(again.match(/CACHED/g)?.length, 3)
  })

  test('two builds of one folder at once do not disturb each other', async () => {
    const folder = context({ Dockerfile: 'FROM busybox\nCOPY x /x\nRUN sleep 1; cat /x > /y\n', x: 'first\n' })
    const first = build(folder, ['-t', 'both:1', '--no-cache'])
    await eventually('the first has the file', () => mirrored(engine, 'first\n'))
    writeFileSync(join(folder, 'x'), 'second\n')
    const second = build(folder, ['-t', 'both:2', '--no-cache'])
    ok(await first)
    ok(await second)
    assert.equal(await inImage('both:2', 'cat', '/y'), 'second\n')
    assert.equal(await inImage('both:1', 'cat', '/y'), await inImage('both:1', 'cat', '/x'))
  })

  for (const signal of ['SIGINT', 'SIGKILL'] as const)
    test(`a build whose client gets ${signal} ends with its step, and leaves nothing`, async () => {
      const mark = `sleep 98765${signal === 'SIGINT' ? 1 : 2}`
      const folder = context({ Dockerfile: `FROM busybox\nRUN ${mark}\n` })
      const client = spawn(buildx!, ['build', '--progress', 'plain', folder], {
        env: { ...process.env, ...engine.env },
        stdio: 'ignore',
      })
      await eventually('the step runs', () => runs(mark))
      const ended = once(client, 'exit')
      client.kill(signal)
      await ended
      await eventually('the step has ended', () => !runs(mark))
      await eventually('nothing of it is left', () => readdirSync(join(engine.roots.run, 'builds')).length === 0)
      assert.ok(
        !existsSync(join(engine.roots.run, 'agents')) || readdirSync(join(engine.roots.run, 'agents')).length === 0,
      )
    })

  test('bake builds several targets, one from another', async () => {
    const folder = context({
      'docker-bake.hcl': `group "default" { targets = ["app", "base"] }
target "base" {
  dockerfile = "Dockerfile.base"
  tags = ["bake-base:1"]
}
target "app" {
  tags = ["bake-app:1"]
  contexts = { base = "target:base" }
}
`,
      'Dockerfile.base': 'FROM busybox\nENV FROM_BASE=yes\nRUN echo base > /base\n',
      Dockerfile: 'FROM base\nRUN echo $FROM_BASE > /app\n',
    })
    ok(await run(['bake', '--progress', 'plain'], { cwd: folder }))
    assert.equal(await inImage('bake-app:1', 'cat', '/base', '/app'), 'base\nyes\n')
    assert.equal(await inImage('bake-base:1', 'cat', '/base'), 'base\n')
  })

  test('what goes to a folder alone leaves no image, also where one target is built from another', async () => {
    const folder = context({
      Dockerfile: 'FROM busybox\nRUN echo of a > /a\n',
      'Dockerfile.b': 'FROM a\nRUN cat /a > /b\n',
      'docker-bake.json': JSON.stringify({
        group: { default: { targets: ['a', 'b'] } },
        target: {
          a: { output: ['type=local,dest=out-a'] },
          b: { dockerfile: 'Dockerfile.b', contexts: { a: 'target:a' }, output: ['type=local,dest=out-b'] },
        },
      }),
    })
    const images = async () => (await engine.docker(['images', '-aq'])).stdout
    const before = await images()
    ok(await run(['bake', '--progress', 'plain', '--allow', 'fs=*'], { cwd: folder }))
    assert.equal(readFileSync(join(folder, 'out-b/b'), 'utf8'), 'of a\n')
    assert.equal(await images(), before)
  })

  test('build --check tells what is to be said of a Dockerfile, and builds nothing', async () => {
    const folder = context({ Dockerfile: 'FROM busybox as one\nRUN false\n' })
    const said = await run(['build', '--check', folder])
    assert.equal(said.code, 1)
    assert.match(said.stdout, /1 warning has been found!\n\nWARNING: FromAsCasing/)
    assert.match(said.stdout, / 1 \| >>> FROM busybox as one/)
    const wrong = await run(['build', '--check', context({ Dockerfile: 'FROM busybox\nCPY a b\n' })])
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /unknown instruction: CPY/)
    assert.match(wrong.stderr, / 2 \| >>> CPY a b/)
    assert.match(ok(await run(['build', '--call', 'targets', folder])), /^one \(default\)/m)
  })

  test('ls, inspect, du and history are content', async () => {
    assert.match(ok(await run(['ls'])), /default\*? +docker/)
    assert.match(ok(await run(['inspect'])), /Status: +running/)
    ok(await run(['du']))
    ok(await run(['history', 'ls']))
  })

  for (const bake of ['true', 'false'])
    test(`Compose builds with COMPOSE_BAKE=${bake}`, {
      skip: compose ? false : 'needs docker-compose (of the peers)',
    }, async () => {
      const folder = context({
        'compose.yaml': `name: built
services:
  web:
    build: {context: web, args: {V: "${bake}"}}
    image: compose-web:${bake}
  api:
    build: {context: ., dockerfile_inline: "FROM busybox\\nRUN echo api > /api\\n"}
    image: compose-api:${bake}
`,
        'web/Dockerfile': 'FROM busybox\nARG V\nCOPY file /file\nRUN echo $V >> /file\n',
        'web/file': 'web\n',
      })
      const said = await command(compose!, ['--progress', 'plain', 'build'], {
        cwd: folder,
        env: { ...engine.env, COMPOSE_PROJECT_NAME: 'built', COMPOSE_BAKE: bake },
        timeout: 120_000,
      })
      ok(said)
      assert.equal(await inImage(`compose-web:${bake}`, 'cat', '/file'), `web\n${bake}\n`)
      assert.equal(await inImage(`compose-api:${bake}`, 'cat', '/api'), 'api\n')
    })
})

/** Asks an agent for its identities, and writes down what it says. */
const askAgent = `#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(void) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  char said[64];
  int agent = socket(AF_UNIX, SOCK_STREAM, 0);
  strcpy(at.sun_path, getenv("SSH_AUTH_SOCK"));
  if (connect(agent, (struct sockaddr *)&at, sizeof at) != 0) return 1;
  if (write(agent, "\\0\\0\\0\\1\\13", 5) != 5) return 2;
  /* the answer may come in pieces; its end does not: the agent of a client goes on listening */
  for (ssize_t n, all = 0; all < 9; all += n)
    if ((n = read(agent, said, sizeof said)) <= 0 || write(1, said, n) != n) return 3;
  return 0;
}
`

/** Whether a copy of a client's folder holds a file "x" with that text. */
function mirrored({ roots }: TestEngine, text: string): boolean {
  const folder = join(roots.data, 'build/contexts')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => basename(path) === 'x')
    .some(path => readFileSync(join(folder, path), 'utf8') === text)
}

/** Whether a process with these words runs. */
function runs(words: string): boolean {
  return readdirSync('/proc').some(pid => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() === words
    } catch {
      // gone since it was listed
      return false
    }
  })
}
