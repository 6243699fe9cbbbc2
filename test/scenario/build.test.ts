/** Builds on the kernel: what a command of a build sees, and that nothing of it stays, whoever ends in the middle. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { statusResponse } from '../../src/api/buildkit/control.ts'
import { endpoints } from '../../src/api/endpoints.ts'
import type { BuildLine } from '../../src/api/json-lines.ts'
import { openSession } from '../../src/client/buildkit/session.ts'
import { createClient } from '../../src/client/client.ts'
import { getXattr, setXattr } from '../../src/runtime/native.ts'
import { build } from '../support/build.ts'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root, which } from '../support/needs.ts'
import { leftOver, type Stock } from '../support/stock.ts'
import { type TinyFiles, tinyTar } from '../support/tiny-image.ts'

describe('builds', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  type Query = NonNullable<Parameters<typeof call>[0]>
  const call = (
    query: Readonly<Record<string, unknown>>,
    files: TinyFiles,
    onLine: (line: BuildLine) => void = () => {},
  ) => build(engine, query, files, onLine)

  const cleared = (before: Stock) =>
    eventually('what a build held', async () => {
      const { processes = [], ...rest } = leftOver(before, await engine.stock())
      // an engine that has started anew has a nursery of its own
      assert.deepEqual({ ...rest, processes: processes.filter(each => !each.endsWith('-nursery')) }, { processes: [] })
      return true
    })

  /** What a Dockerfile's commands print. */
  const said = async (dockerfile: string, query: Query = {}, files: TinyFiles = {}): Promise<string> => {
    const lines = await call(query, { Dockerfile: dockerfile, ...files })
    assert.equal(lines.find(line => line.error)?.error, undefined)
    return lines.map(line => line.stream ?? '').join('')
  }

  /** The paths of an image's own layers. */
  const paths = async (image: string): Promise<string> => {
    const folder = join(engine.folder, `saved-${Math.random()}`)
    mkdirSync(folder)
    const client = createClient(engine.host)
    try {
      const { content } = await client.stream(endpoints.imageGet, { params: { name: image } })
      writeFileSync(join(folder, 'image.tar'), await buffer(Readable.from(content)))
    } finally {
      client.close()
    }
    await command('tar', ['-xf', 'image.tar'], { cwd: folder })
    const manifest = JSON.parse((await command('cat', ['manifest.json'], { cwd: folder })).stdout) as [
      { Layers: string[] },
    ]
    const listed = await Promise.all(
      manifest[0].Layers.slice(1).map(layer => command('tar', ['-tf', layer], { cwd: folder })),
    )
    return listed.map(({ stdout }) => stdout).join('')
  }

  test('a command has the rights of a plain container, a network, and names that do not depend on the engine', async () => {
    const text = await said(
      'FROM busybox\nUSER 7:8\nRUN id; grep CapBnd /proc/self/status; env; cat /etc/hostname /etc/hosts; ip -o addr show eth0\n',
      { extrahosts: ['db:10.1.2.3'], memory: 64 * 1024 ** 2 },
    )
    assert.match(text, /uid=7 gid=8/)
    assert.match(text, /CapBnd:\t00000000a80425fb/)
    assert.match(text, /^buildkitsandbox$/m)
    assert.match(text, /^10\.1\.2\.3\tdb$/m)
    assert.match(text, /eth0 +inet /)
    assert.doesNotMatch(text, /^HOSTNAME=/m)
  })

  test('nobody is told of a command: it is in no list', async () => {
    const since = String(Math.floor(Date.now() / 1000) - 1)
    await said('FROM busybox\nRUN true # quietly\n', { t: ['quiet:1'], nocache: true })
    const client = createClient(engine.host)
    try {
      const until = BigInt(Math.ceil(Date.now() / 1000) + 1) * 1_000_000_000n
      const query = { since: BigInt(since) * 1_000_000_000n, until }
      const told: string[] = []
      for await (const { Type, Action } of await client.stream(endpoints.events, { query }))
        told.push(`${Type} ${Action}`)
      assert.ok(told.includes('image tag'))
      assert.ok(!told.some(each => /^(network|container) /.test(each) && !each.includes('create')), told.join(', '))
    } finally {
      client.close()
    }
  })

  test('a command without a network has the loopback alone', async () => {
    const text = await said('FROM busybox\nRUN --network=none ip -o link\n')
    assert.match(text, /1: lo/)
    assert.doesNotMatch(text, /^2: /m)
  })

  test('limits hold', async () => {
    const where = 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true'
    assert.match(await said(`FROM busybox\nRUN ${where}\n`, { memory: 64 * 1024 ** 2 }), /^67108864$/m)
  })

  test('tscompose build sends the attributes and capabilities of files', async () => {
    const folder = join(engine.folder, 'with-attributes')
    mkdirSync(folder)
    writeFileSync(join(folder, 'Dockerfile'), 'FROM busybox\nCOPY --chown=7:8 ping /\n')
    writeFileSync(join(folder, 'compose.yaml'), 'services:\n  a:\n    build: .\n    image: attributes:1\n')
    writeFileSync(join(folder, 'ping'), 'x')
    // cap_net_raw=ep (linux/capability.h: vfs_cap_data of revision 2)
    const netRaw = Buffer.from('0100000200200000000000000000000000000000', 'hex')
    setXattr(join(folder, 'ping'), 'security.capability', netRaw)
    const { code, stderr } = await engine.tscompose(['build'], { cwd: folder })
    assert.equal(code, 0, stderr)
    const client = createClient(engine.host)
    const shown = await client.call(endpoints.imageInspect, { params: { name: 'attributes:1' } })
    client.close()
    const layer = z.object({ GraphDriver: z.object({ Data: z.object({ UpperDir: z.string() }) }) }).parse(shown)
    assert.deepEqual(getXattr(join(layer.GraphDriver.Data.UpperDir, 'ping'), 'security.capability'), netRaw)
  })

  test('nothing that was made to mount over is in the image', async () => {
    await said(
      [
        'FROM busybox AS from',
        'FROM scratch',
        'COPY --from=from /bin /bin',
        'RUN --mount=type=tmpfs,target=/a/b --mount=type=cache,target=/c --mount=type=bind,from=from,target=/d/e touch /x',
        '',
      ].join('\n'),
      { t: ['mounts:1'] },
    )
    const found = (await paths('mounts:1')).split('\n').filter(path => !path.startsWith('bin'))
    assert.deepEqual(found, ['x', ''])
  })

  test('of several mounts at one place the last is there alone', async () => {
    const text = await said(
      "FROM busybox\nRUN --mount=type=tmpfs,target=/t --mount=type=cache,target=/t/,id=last grep -c ' /t ' /proc/mounts; touch /t/x\n" +
        'RUN --mount=type=cache,target=/t,id=last ls /t\n',
      { nocache: true },
    )
    assert.match(text, /^1\n[\s\S]*^x$/m)
  })

  test('a cache mount is there for the next build, and what is written to a bind mount is not', async () => {
    const dockerfile = (text: string) =>
      `FROM busybox\nRUN --mount=type=cache,target=/c,id=k --mount=type=bind,target=/ctx,rw ${text}\n`
    await said(dockerfile('echo kept >/c/x; echo lost >/ctx/a; cat /ctx/a'), {}, { a: 'sent' })
    assert.match(await said(dockerfile('cat /c/x /ctx/a'), {}, { a: 'sent' }), /^kept\nsent/m)
  })

  test('a cache mount that begins with another owner, mode or content is another one, whatever its id', async () => {
    const of = (options: string) =>
      `RUN --mount=type=cache,target=/c,id=begins${options} stat -c '%u %g %a' /c; ls /c; touch /c/used\n`
    const own = ',uid=7,gid=8,mode=0711'
    const text = await said(
      `FROM busybox AS s\nRUN mkdir /s && touch /s/first\nFROM busybox\n${of(own)}${of('')}${of(',from=s,source=/s')}${of(own)}`,
      { nocache: true },
    )
    const listed = text.split('\n').filter(line => /^(\d+ \d+ \d+|first|used)$/.test(line))
    assert.deepEqual(listed, ['7 8 711', '0 0 755', '0 0 755', 'first', '7 8 711', 'used'])
  })

  test('a failing command is told by its words, its code and its lines', async () => {
    const lines = await call({}, { Dockerfile: 'FROM busybox\nRUN echo so; exit 3\n' })
    const last = lines.at(-1)!
    assert.equal(last.errorDetail?.code, 3)
    assert.equal(last.error, "The command '/bin/sh -c echo so; exit 3' returned a non-zero code: 3")
    assert.match(lines.at(-2)!.stream!, /^ {3}2 \| >>> RUN echo so; exit 3$/m)
  })

  test('whose client leaves ends at once, and nothing stays', async () => {
    const before = await engine.stock()
    const running = Promise.withResolvers<void>()
    const client = createClient(engine.host)
    const tar = await tinyTar({ Dockerfile: 'FROM busybox\nRUN echo on; sleep 1000\n' })
    const reading = (async () => {
      for await (const line of await client.stream(endpoints.imageBuild, { query: {}, body: tar }))
        if (line.stream === 'on\n') running.resolve()
    })()
    await running.promise
    client.close()
    await assert.rejects(reading)
    await cleared(before)
    await eventually('the folder of builds', () => readdirSync(join(engine.roots.data, 'build', 'tmp')).length === 0)
  })

  test('an engine that is killed in the middle leaves nothing that the next one does not clear', async () => {
    const before = await engine.stock()
    const running = Promise.withResolvers<void>()
    const building = call({}, { Dockerfile: 'FROM busybox\nRUN echo on; touch /x; sleep 1000\n' }, line => {
      if (line.stream === 'on\n') running.resolve()
    })
    const broken = assert.rejects(building)
    await running.promise
    await engine.halt('SIGKILL')
    await broken
    await engine.boot()
    await cleared(before)
    assert.deepEqual(readdirSync(join(engine.roots.data, 'build', 'tmp')), [])
    assert.deepEqual(readdirSync(join(engine.roots.run, 'builds')), [])
    assert.match(await said('FROM busybox\nRUN echo again\n'), /again/)
  })

  /** Of `version=2`: the names of the steps, what commands have printed, and the image. */
  const told = (lines: readonly BuildLine[]) => {
    const all = lines
      .filter(({ id }) => id === 'moby.buildkit.trace')
      .map(({ aux }) => statusResponse.decode(Buffer.from(aux as string, 'base64')))
    return {
      steps: new Set(all.flatMap(({ vertexes }) => vertexes.map(({ name }) => name))),
      printed: all.flatMap(({ logs }) => logs.map(({ data }) => Buffer.from(data).toString())).join(''),
      image: lines.find(({ id }) => id === 'moby.image.id')?.aux as { readonly ID: string } | undefined,
      error: lines.find(({ error }) => error !== undefined)?.error,
    }
  }

  test('POST /build?version=2 tells what BuildKit would, of a context in its body', async () => {
    const query = { version: '2', t: ['v2:1'] }
    const { steps, printed, image, error } = told(await call(query, { Dockerfile: 'FROM busybox\nRUN echo of v2\n' }))
    assert.equal(error, undefined)
    assert.ok(steps.has('[2/2] RUN echo of v2'), [...steps].join('\n'))
    assert.equal(printed, 'of v2\n')
    assert.equal((await engine.docker(['inspect', '-f', '{{.Id}}', 'v2:1'])).stdout.trim(), image?.ID)
    const [quiet, ...more] = await call({ ...query, q: true }, { Dockerfile: 'FROM busybox\nRUN echo of v2\n' })
    assert.deepEqual([quiet, more], [{ stream: `${image?.ID}\n` }, []])
    const failed = told(await call(query, { Dockerfile: 'FROM busybox\nRUN exit 7\n' }))
    assert.match(failed.error!, /did not complete successfully: exit code: 7/)
    assert.equal(failed.image, undefined)
  })

  test('POST /build?version=2 takes files and secrets of a session', async () => {
    const folder = join(engine.folder, 'of-a-session')
    mkdirSync(folder)
    const dockerfile = 'FROM busybox\nCOPY a /\nRUN --mount=type=secret,id=s cat /a /run/secrets/s\n'
    writeFileSync(join(folder, 'Dockerfile'), dockerfile)
    writeFileSync(join(folder, 'a'), 'file\n')
    const client = createClient(engine.host)
    const over = new AbortController()
    try {
      const serving = await openSession(
        client,
        {
          folders: new Map(['context', 'dockerfile'].map(name => [name, { kind: 'folder', path: folder }])),
          secret: async id => (id === 's' ? Buffer.from('secret\n') : undefined),
          credentials: async () => undefined,
          agent: async () => undefined,
        },
        { id: 'the-session', sharedKey: 'x', signal: over.signal },
      )
      const query = { version: '2', remote: 'client-session', session: 'the-session' }
      const lines: BuildLine[] = []
      for await (const line of await client.stream(endpoints.imageBuild, { query })) lines.push(line)
      const { printed, error } = told(lines)
      assert.equal(error, undefined)
      assert.equal(printed, 'file\nsecret\n')
      over.abort()
      await serving.over
    } finally {
      over.abort()
      client.close()
    }
  })

  test('POST /build?version=2 takes a context that comes by a request of its own', async () => {
    const tar = await tinyTar({ Dockerfile: 'FROM busybox\nCOPY a /\nRUN cat /a\n', a: 'uploaded\n' })
    const client = createClient(engine.host)
    const post = async (query: Readonly<Record<string, string>>, body?: Uint8Array) => {
      const lines: BuildLine[] = []
      for await (const line of await client.stream(endpoints.imageBuild, { query, ...(body && { body }) }))
        lines.push(line)
      return lines
    }
    try {
      const [lines, nothing] = await Promise.all([
        post({ version: '2', remote: 'upload-request', buildid: 'up' }),
        post({ version: '2', buildid: 'upload-request:up' }, tar),
      ])
      const { printed, error } = told(lines)
      assert.deepEqual([error, printed, nothing], [undefined, 'uploaded\n', []])
    } finally {
      client.close()
    }
  })

  test('POST /build/cancel ends the build of that id, and forgives one that nobody runs', async () => {
    const before = await engine.stock()
    const client = createClient(engine.host)
    try {
      for (const version of ['1', '2']) {
        const began = Promise.withResolvers<void>()
        const query = { version, buildid: `mine-${version}` }
        const lines = call(query, { Dockerfile: 'FROM busybox\nRUN echo begins; sleep 1000\n' }, line => {
          if (/begins/.test(line.stream ?? '') || line.id === 'moby.buildkit.trace') began.resolve()
        })
        await began.promise
        await client.call(endpoints.buildCancel, { query: { id: 'another' } })
        await client.call(endpoints.buildCancel, { query: { id: query.buildid } })
        assert.equal((await lines).at(-1)?.error, 'context canceled')
        await cleared(before)
      }
      await assert.rejects(client.call(endpoints.buildCancel, {}), {
        kind: 'invalid',
        message: 'build ID not provided',
      })
    } finally {
      client.close()
    }
  })

  test('docker build without BuildKit', { skip: lacking(program('docker')) }, async () => {
    const folder = join(engine.folder, 'context')
    mkdirSync(folder)
    writeFileSync(join(folder, 'Dockerfile'), 'FROM busybox\nCOPY a /\nRUN cat /a\n')
    writeFileSync(join(folder, 'a'), 'content of a\n')
    const env = { ...engine.env, DOCKER_BUILDKIT: '0' }
    const first = await command(which('docker')!, ['build', '-t', 'cli:1', folder], { env })
    assert.equal(first.code, 0, first.stderr)
    assert.match(first.stdout, /content of a/)
    assert.match(first.stdout, /Successfully tagged cli:1/)
    const quiet = await command(which('docker')!, ['build', '-q', '-t', 'cli:1', folder], { env })
    assert.match(quiet.stdout, /^sha256:[0-9a-f]{64}\n$/)
  })
})
