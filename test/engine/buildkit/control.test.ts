import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { control } from '../../../src/api/buildkit/control.ts'
import { fileSend } from '../../../src/api/buildkit/file-sync.ts'
import { llbBridge } from '../../../src/api/buildkit/gateway.ts'
import { GrpcClient } from '../../../src/api/buildkit/grpc-client.ts'
import { type Implementation, implement, serveGrpc } from '../../../src/api/buildkit/grpc-server.ts'
import { GrpcFailure } from '../../../src/api/buildkit/grpc-status.ts'
import type { From } from '../../../src/api/buildkit/message.ts'
import { auth, secrets, ssh, upload } from '../../../src/api/buildkit/session-services.ts'
import { BuildFailure } from '../../../src/engine/build/build-failure.ts'

import type { CacheItem } from '../../../src/engine/build/cache-prune.ts'
import { targetsOf } from '../../../src/engine/build/dockerfile/inspect.ts'

import type { OnBuildEvent } from '../../../src/engine/build/events.ts'
import type { BuildRequest } from '../../../src/engine/build/request.ts'
import { BuildKit } from '../../../src/engine/buildkit/buildkit.ts'
import { Mirrors } from '../../../src/engine/buildkit/mirrors.ts'
import { mostOutput } from '../../../src/engine/buildkit/status-log.ts'
import type { Image } from '../../../src/engine/images/image.ts'
import { Failure, isFailure } from '../../../src/lib/failure.ts'
import { connectedPair } from '../../support/connected-pair.ts'
import { folderOf, serveFolders } from './session-client.ts'

const image = { id: `sha256:${'a'.repeat(64)}`, tags: [], diffIds: [] } as unknown as Image
const step = `sha256:${'1'.repeat(64)}`

const cached: readonly CacheItem[] = [
  {
    id: 'step-1',
    type: 'regular',
    description: 'RUN make',
    parents: [],
    size: 10,
    created: 1000,
    lastUsed: 2000,
    uses: 3,
    inUse: false,
    shared: false,
  },
]
const dockerfile = { name: 'Dockerfile', text: 'FROM a as one\nFROM one\n' }
const warnings = [
  {
    rule: 'FromAsCasing',
    message: "'as' and 'FROM' keywords' casing do not match",
    description: 'The casing should match',
    url: 'https://example.com/rule',
    lines: { first: 1, last: 1 },
  },
]

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tscompose-buildkit-'))
  mkdirSync(join(root, 'context'))
  mkdirSync(join(root, 'result'))
  writeFileSync(join(root, 'context/Dockerfile'), 'FROM base\nRUN make\n')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

type Build = (request: BuildRequest, tell: OnBuildEvent, signal: AbortSignal) => Promise<Image>

interface Bench extends AsyncDisposable {
  readonly grpc: GrpcClient
  readonly requests: BuildRequest[]
  readonly problems: string[]
  /** As buildx does: the client is the frontend, and asks for the Dockerfile's. */
  buildx(options?: BuildxOptions): Promise<ReadonlyMap<string, string>>
}

interface BuildxOptions {
  readonly ref?: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly request?: From<typeof control.solve.request>
  readonly signal?: AbortSignal
}

/** The real services over real sockets, with a builder that does what the test says. */
async function bench(build: Build, services: readonly Implementation[] = []): Promise<Bench> {
  const requests: BuildRequest[] = []
  const problems: string[] = []
  const kit = new BuildKit({
    backend: {
      build: (request, tell, signal) => {
        requests.push(request)
        return build(request, tell, signal)
      },
      inspect: async question => {
        if (question === 'check') return { question, source: dockerfile, warnings, error: undefined }
        if (question === 'targets') return { question, source: dockerfile, targets: targetsOf(dockerfile.text) }
        throw new Failure('unavailable', 'nothing to outline')
      },
      document: async () => Buffer.from('{"config":{}}'),
      unpack: async body => {
        await writeAll(join(root, 'upload'), body)
        return { path: join(root, 'upload'), async [Symbol.asyncDispose]() {} }
      },
    },
    exports: {
      layers: () => [join(root, 'result')],
      async *save(_, names) {
        yield Buffer.from(`archive of ${names.join(' ')}`)
      },
    },
    usage: { list: async () => cached, prune: async () => ({ deleted: [cached[0]!.id], reclaimed: 10 }) },
    mirrors: new Mirrors({ folder: join(root, 'mirrors'), boot: 'boot' }),
    sshFolder: join(root, 'ssh'),
    worker: { id: 'worker-1', hostGateway: '172.17.0.1' },
    say: line => problems.push(line),
  })
  const dial = async (take: (connection: Awaited<ReturnType<typeof connectedPair>>[0]) => Promise<void>) => {
    const [near, far] = await connectedPair()
    return { near, over: take(far) }
  }
  const { near, over } = await dial(kit.grpc())
  const folders = serveFolders({
    context: folderOf(join(root, 'context')),
    dockerfile: folderOf(join(root, 'context')),
  })
  const all = [folders.service, ...services]
  const methods = all.flatMap(service => [...service.keys()])
  const session = await dial(kit.session({ id: 'session-1', sharedKey: 'app', methods }))
  const served = serveGrpc(session.near, { services: all })
  const grpc = new GrpcClient(near)
  return {
    grpc,
    requests,
    problems,
    async buildx({ ref = 'build-1', attributes = {}, request = {}, signal } = {}) {
      const metadata = new Map([['buildkit-controlapi-buildid', [ref]]])
      const solved = grpc.call(
        control.solve,
        {
          ref,
          session: 'session-1',
          exporters: [{ type: 'moby', attributes: new Map([['name', 'app:1']]) }],
          ...request,
        },
        { signal },
      )
      const asFrontend = async () => {
        await grpc.call(llbBridge.ping, {}, { metadata, signal })
        try {
          const { result } = await grpc.call(
            llbBridge.solve,
            { frontend: 'dockerfile.v0', frontendOptions: new Map(Object.entries(attributes)) },
            { metadata, signal },
          )
          await grpc.call(llbBridge.return, { result: { ref: result?.ref, metadata: result?.metadata } }, { metadata })
        } catch (error) {
          const failure = error as GrpcFailure
          const status = { code: 2, message: failure.message, details: failure.details }
          // whoever has taken the build back says nothing more of it
          if (!signal?.aborted) await grpc.call(llbBridge.return, { error: status }, { metadata })
        }
      }
      const [answer] = await Promise.all([solved, asFrontend()])
      return answer.exporterResponse
    },
    async [Symbol.asyncDispose]() {
      kit.close()
      near.destroy()
      session.near.destroy()
      await Promise.all([over, session.over, served])
    },
  }
}

async function writeAll(folder: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  mkdirSync(folder)
  writeFileSync(join(folder, 'Dockerfile'), Buffer.concat(await Array.fromAsync(body)))
}

const now = () => performance.timeOrigin + performance.now()

describe('a build by BuildKit’s protocol', () => {
  test('gets its options and files, and answers with the image', async () => {
    let dockerfile = ''
    await using on = await bench(async ({ client }) => {
      const folder = await client.context('dockerfile', { exclude: [], follow: ['Dockerfile'] })
      dockerfile = readFileSync(join(folder, 'Dockerfile'), 'utf8')
      return image
    })
    const attributes = {
      filename: 'Dockerfile',
      target: 'web',
      'build-arg:V': '1',
      'label:team': 'a',
      'add-hosts': 'db=10.0.0.1,"cache=10.0.0.2"',
      ulimit: 'nofile=10:20,core=-1',
      'shm-size': '1048576',
      'force-network-mode': 'none',
      'no-cache': 'web,api',
      'image-resolve-mode': 'pull',
      platform: 'linux/amd64',
      'context:base': 'docker-image://busybox:1',
      'context:assets': 'local:assets',
      'cache-imports': '[{"Type":"registry","Attrs":{"ref":"r/c"}}]',
    }
    const answer = await on.buildx({ attributes, request: { entitlements: ['network.host'] } })
    assert.equal(answer.get('containerimage.digest'), image.id)
    assert.equal(answer.get('containerimage.config.digest'), image.id)
    assert.equal(answer.get('image.name'), 'docker.io/library/app:1')
    assert.equal(dockerfile, 'FROM base\nRUN make\n')
    const { client: _, ...request } = on.requests[0]!
    assert.partialDeepStrictEqual(request, {
      dockerfile: 'Dockerfile',
      target: 'web',
      args: new Map([['V', '1']]),
      labels: new Map([['team', 'a']]),
      tags: ['app:1'],
      platform: 'linux/amd64',
      noCache: ['web', 'api'],
      pull: true,
      network: 'none',
      extraHosts: [
        { host: 'db', address: '10.0.0.1' },
        { host: 'cache', address: '10.0.0.2' },
      ],
      shmSize: 1048576,
      ulimits: [
        { name: 'nofile', soft: 10, hard: 20 },
        { name: 'core', soft: -1, hard: -1 },
      ],
      entitlements: new Set(['network.host']),
      namedContexts: new Map<string, object>([
        ['base', { kind: 'image', reference: 'busybox:1' }],
        ['assets', { kind: 'local', name: 'assets' }],
      ]),
      cacheFrom: [{ type: 'registry', attributes: new Map([['ref', 'r/c']]) }],
    })
  })

  test('is told step by step, from the beginning also to who comes late', async () => {
    const go = Promise.withResolvers<void>()
    await using on = await bench(async (_, tell) => {
      tell({ kind: 'step', id: step, name: '[1/1] RUN make', inputs: [], lines: { first: 2, last: 2 } })
      tell({ kind: 'missed', id: step, reason: 'never built' })
      tell({ kind: 'started', id: step, at: 1000.5 })
      tell({ kind: 'output', id: step, stream: 'stderr', data: Buffer.from('made\n'), at: now() })
      tell({ kind: 'progress', id: step, part: 'layer', current: 1, total: 2, at: now(), done: false })
      await go.promise
      tell({ kind: 'completed', id: step, at: 2000, error: undefined })
      return image
    })
    const solved = on.buildx()
    const seen = { vertexes: [] as object[], logs: [] as string[], statuses: [] as string[] }
    for await (const status of on.grpc.responses(control.status, { ref: 'build-1' })) {
      seen.vertexes.push(...status.vertexes)
      seen.logs.push(...status.logs.map(({ data, stream }) => `${stream} ${Buffer.from(data)}`))
      seen.statuses.push(...status.statuses.map(({ id, current, total }) => `${id} ${current}/${total}`))
      go.resolve()
    }
    await solved
    assert.partialDeepStrictEqual(seen.vertexes.at(-1), {
      digest: step,
      name: '[1/1] RUN make',
      missed: 'never built',
      started: { seconds: 1, nanos: 500_000 },
      completed: { seconds: 2, nanos: 0 },
    })
    assert.deepEqual(seen.logs, ['2 made\n'])
    assert.deepEqual(seen.statuses, ['layer 1/2'])
  })

  test('that is over before anybody watches it is told all the same', async () => {
    await using on = await bench(async (_, tell) => {
      tell({ kind: 'step', id: step, name: '[1/1] RUN make', inputs: [], lines: undefined })
      return image
    })
    await on.buildx()
    const [status] = await Array.fromAsync(on.grpc.responses(control.status, { ref: 'build-1' }, { timeout: 5000 }))
    assert.equal(status?.vertexes[0]?.name, '[1/1] RUN make')
  })

  test('ends a step that is cached once', async () => {
    await using on = await bench(async (_, tell) => {
      tell({ kind: 'step', id: step, name: 'RUN make', inputs: [], lines: undefined })
      tell({ kind: 'cached', id: step, at: 1000 })
      tell({ kind: 'completed', id: step, at: 2000, error: undefined })
      return image
    })
    await on.buildx()
    const [status] = await Array.fromAsync(on.grpc.responses(control.status, { ref: 'build-1' }))
    assert.deepEqual(
      status?.vertexes.map(({ cached, completed }) => [cached, completed?.seconds]),
      [
        [false, undefined],
        [true, 1],
      ],
    )
  })

  test('that writes for hours is clipped, step by step', async () => {
    await using on = await bench(async (_, tell) => {
      tell({ kind: 'step', id: step, name: 'RUN yes', inputs: [], lines: undefined })
      for (let i = 0; i < 100; i++)
        tell({ kind: 'output', id: step, stream: 'stdout', data: Buffer.alloc(64 * 1024, 'y'), at: now() })
      return image
    })
    const solved = on.buildx()
    const logs: Buffer[] = []
    for await (const status of on.grpc.responses(control.status, { ref: 'build-1' }))
      logs.push(...status.logs.map(({ data }) => Buffer.from(data)))
    await solved
    const text = Buffer.concat(logs)
    assert.equal(text.subarray(0, mostOutput).compare(Buffer.alloc(mostOutput, 'y')), 0)
    assert.equal(text.subarray(mostOutput).toString(), '\n[output clipped, log limit 2MiB reached]\n')
  })

  test('that failed says where, in words and in details', async () => {
    await using on = await bench(async (_, tell) => {
      tell({ kind: 'step', id: step, name: '[1/1] RUN make', inputs: [], lines: { first: 2, last: 2 } })
      tell({ kind: 'completed', id: step, at: now(), error: 'exit code: 2' })
      const cause = new Failure('invalid', 'process "make" did not complete successfully: exit code: 2')
      throw new BuildFailure(cause, {
        source: { name: 'Dockerfile', text: 'FROM base\nRUN make\n' },
        lines: { first: 2, last: 2 },
      })
    })
    await assert.rejects(on.buildx(), error => {
      assert.ok(error instanceof GrpcFailure)
      assert.equal(error.message, 'process "make" did not complete successfully: exit code: 2')
      const details = new Map(
        error.details.map(({ typeUrl, value }) => [typeUrl, JSON.parse(Buffer.from(value).toString())]),
      )
      assert.deepEqual(details.get('github.com/moby/buildkit/errdefs.Vertex+json'), { digest: step })
      const source = details.get('github.com/moby/buildkit/errdefs.Source+json')
      assert.equal(source.info.filename, 'Dockerfile')
      assert.equal(Buffer.from(source.info.data, 'base64').toString(), 'FROM base\nRUN make\n')
      assert.deepEqual(source.ranges, [{ start: { line: 2 }, end: { line: 2 } }])
      return true
    })
    assert.deepEqual(on.problems, [])
  })

  test('ends when its client takes it back, and its name is free again', async () => {
    const begun = Promise.withResolvers<void>()
    const stopped = Promise.withResolvers<void>()
    let first = true
    await using on = await bench(async (_, _tell, signal) => {
      if (!first) return image
      first = false
      begun.resolve()
      if (!signal.aborted) await once(signal, 'abort')
      stopped.resolve()
      throw new Failure('cancelled', 'Cannot build: cancelled')
    })
    const controller = new AbortController()
    const build = on.buildx({ signal: controller.signal })
    await begun.promise
    controller.abort()
    await assert.rejects(build, error => isFailure(error, 'cancelled'))
    await stopped.promise
    await assert.doesNotReject(on.buildx())
  })

  test('goes straight to the Dockerfile frontend for a client that is none', async () => {
    await using on = await bench(async () => image)
    const { exporterResponse } = await on.grpc.call(control.solve, {
      ref: 'direct',
      session: 'session-1',
      frontend: 'dockerfile.v0',
      frontendAttributes: new Map([['target', 'x']]),
      exporters: [{ type: 'moby' }],
    })
    assert.equal(exporterResponse.get('containerimage.digest'), image.id)
    assert.equal(on.requests[0]?.target, 'x')
  })

  test('takes the result of another build for a context, and no other definition', async () => {
    await using on = await bench(async () => image)
    const metadata = new Map([['buildkit-controlapi-buildid', ['a']]])
    const solved = on.grpc.call(control.solve, { ref: 'a', session: 'session-1' })
    const { result } = await on.grpc.call(llbBridge.solve, { frontend: 'dockerfile.v0' }, { metadata })
    const definition = result?.ref?.definition
    const options = new Map([['context:base', 'input:base']])
    const inputs = (given: typeof definition) => new Map([['base', given!]])
    const call = { frontend: 'dockerfile.v0', frontendOptions: options }
    await on.grpc.call(llbBridge.solve, { ...call, frontendInputs: inputs(definition) }, { metadata })
    assert.deepEqual(on.requests[1]?.namedContexts.get('base'), { kind: 'image', reference: image.id })
    const foreign = { ...definition!, def: [definition!.def[1]!] }
    await assert.rejects(on.grpc.call(llbBridge.solve, { ...call, frontendInputs: inputs(foreign) }, { metadata }), {
      message: /LLB/,
    })
    await on.grpc.call(llbBridge.return, { result: {} }, { metadata })
    await solved
  })

  test('refuses by name what it does not do', async () => {
    await using on = await bench(async () => image)
    const refused = async (request: From<typeof control.solve.request>, message: RegExp) => {
      const given = { session: 'session-1', frontend: 'dockerfile.v0', ref: 'r', ...request }
      await assert.rejects(on.grpc.call(control.solve, given), { message })
    }
    await refused({ definition: { def: [Buffer.from('0a00', 'hex')] } }, /Cannot build from LLB/)
    await refused({ exporters: [{ type: 'magic' }] }, /exporter "magic" could not be found/)
    await refused({ frontend: 'nix.v0' }, /frontend "nix.v0"/)
    await refused({ sourcePolicy: { rules: [Buffer.alloc(1)] } }, /source policies/)
    await refused({ ref: '' }, /without a name/)
    const attribute = (key: string, value: string) => ({ frontendAttributes: new Map([[key, value]]) })
    await refused(attribute('platform', 'linux/amd64,linux/arm64'), /several platforms/)
    await refused(attribute('unheard-of', '1'), /option "unheard-of" is not known/)
    await refused(attribute('attest:sbom', 'generator=x'), /attestations \("sbom"\)/)
    await refused(attribute('context:x', 'oci-layout://y'), /OCI layout/)
    await refused(attribute('add-hosts', 'db'), /invalid key-value pair db/)
    await refused(attribute('ulimit', 'nofile=x'), /invalid ulimit/)
    await refused(attribute('force-network-mode', 'moon'), /invalid netmode moon/)
    assert.equal(on.requests.length, 0)
  })
})

describe('what only the client has', () => {
  test('secrets come by id, and are not found otherwise', async () => {
    const given = implement(secrets, {
      getSecret: ({ id }) => {
        if (id !== 'key') throw new Failure('not-found', 'no such secret')
        return { data: Buffer.from([0, 255, 10]) }
      },
    })
    const seen: unknown[] = []
    await using on = await bench(
      async ({ client }) => {
        seen.push(await client.secret('key'), await client.secret('none').catch(error => error.message))
        return image
      },
      [given],
    )
    await on.buildx()
    assert.deepEqual(seen, [Buffer.from([0, 255, 10]), 'secret none: not found'])
  })

  test('credentials come for a registry; the hub’s by its host’s name', async () => {
    const asked: string[] = []
    const given = implement(auth, {
      credentials: ({ host }) => {
        asked.push(host)
        return host === 'r.example'
          ? { username: 'me', secret: 'pass' }
          : { username: '', secret: host === 'i' ? 'id' : '' }
      },
    })
    let seen: unknown[] = []
    await using on = await bench(
      async ({ client }) => {
        seen = await Promise.all(['r.example', 'i', 'docker.io'].map(host => client.auth(host)))
        return image
      },
      [given],
    )
    await on.buildx()
    assert.deepEqual(seen, [{ username: 'me', password: 'pass' }, { identityToken: 'id' }, undefined])
    assert.deepEqual(
      asked.toSorted(),
      ['docker.io', 'i', 'r.example'].map(h => (h === 'docker.io' ? `registry-1.${h}` : h)).toSorted(),
    )
  })

  test('the agent is a socket for the time of a step', async () => {
    const given = implement(ssh, {
      checkAgent: ({ id }) => {
        if (id !== 'default') throw new Failure('not-found', 'unset ssh forward key')
        return {}
      },
      forwardAgent: async function* (requests, { metadata }) {
        for await (const { data } of requests)
          yield {
            data: Buffer.from(`${metadata.get('buildkit.ssh.id')?.[0]}:${Buffer.from(data).toString().toUpperCase()}`),
          }
      },
    })
    let said = ''
    let path = ''
    let none: unknown = 'unasked'
    await using on = await bench(
      async ({ client }) => {
        none = await client.ssh('other')
        await using agent = await client.ssh('default')
        path = agent!.path
        const socket = connect(path)
        socket.end('sign')
        for await (const data of socket) said += data
        return image
      },
      [given],
    )
    await on.buildx()
    assert.equal(none, undefined)
    assert.equal(said, 'default:SIGN')
    await assert.rejects(once(connect(path), 'connect'), { code: 'ENOENT' })
  })

  test('a context from standard input is unpacked', async () => {
    const given = implement(upload, {
      pull: async function* (_, { metadata }) {
        yield { data: Buffer.from(`FROM ${metadata.get('urlpath')?.[0]}`) }
      },
    })
    let text = ''
    await using on = await bench(
      async ({ client }) => {
        text = readFileSync(join(await client.context('dockerfile', { exclude: [], follow: [] }), 'Dockerfile'), 'utf8')
        return image
      },
      [given],
    )
    await on.buildx({ attributes: { context: 'http://buildkit-session/abc' } })
    assert.equal(text, 'FROM abc')
  })

  test('a result goes to it as an archive or as a folder, each exporter to its own', async () => {
    writeFileSync(join(root, 'result/hello'), 'hello')
    const files: string[] = []
    const given = implement(fileSend, {
      diffCopy: async function* (requests, { metadata }) {
        let text = ''
        for await (const { data } of requests) text += Buffer.from(data).toString('latin1')
        files.push(
          `${metadata.get('buildkit-attachable-exporter-id')?.[0]} ${text.includes('archive') ? text : text.slice(0, 5)}`,
        )
        yield* []
      },
    })
    await using on = await bench(async () => image, [given])
    await on.buildx({
      request: { exporters: [{ type: 'tar' }, { type: 'docker', attributes: new Map([['name', 'a:1']]) }] },
    })
    assert.deepEqual(files, ['0 hello', '1 archive of a:1'])
  })

  test('that has left ends the build that waits for it', async () => {
    await using on = await bench(async ({ client }) => {
      await client.context('no-such-folder', { exclude: [], follow: [] })
      return image
    })
    await assert.rejects(on.buildx(), { message: /no access allowed to dir "no-such-folder"/ })
  })
})

describe('a request that is no build', () => {
  const ask = async (name: string): Promise<ReadonlyMap<string, string>> => {
    await using on = await bench(async () => assert.fail('nothing is to be built'))
    return await on.buildx({ attributes: { requestid: name }, request: { exporters: [] } })
  }

  test('checks a Dockerfile', async () => {
    const answer = await ask('frontend.lint')
    assert.equal(answer.get('result.statuscode'), '1')
    assert.equal(
      answer.get('result.txt'),
      `
WARNING: FromAsCasing - https://example.com/rule
'as' and 'FROM' keywords' casing do not match
Dockerfile:1
--------------------
   1 | >>> FROM a as one
   2 |     FROM one
--------------------
`,
    )
    assert.deepEqual(JSON.parse(answer.get('result.json')!), {
      warnings: [
        {
          ruleName: 'FromAsCasing',
          description: 'The casing should match',
          url: 'https://example.com/rule',
          detail: "'as' and 'FROM' keywords' casing do not match",
          location: { ranges: [{ start: { line: 1 }, end: { line: 1 } }] },
        },
      ],
      sources: [
        { filename: 'Dockerfile', language: 'Dockerfile', data: Buffer.from(dockerfile.text).toString('base64') },
      ],
    })
  })

  test('lists targets, and what can be asked', async () => {
    assert.equal((await ask('frontend.targets')).get('result.txt'), 'TARGET    DESCRIPTION\none       \n(default) \n')
    const text = (await ask('frontend.subrequests.describe')).get('result.txt') ?? ''
    assert.match(text, /^NAME +VERSION DESCRIPTION\nlint +1\.0\.0 {3}Lint a Dockerfile\n/)
    await assert.rejects(ask('frontend.outline'), { message: 'nothing to outline' })
    await assert.rejects(ask('frontend.magic'), { message: 'unsupported request frontend.magic' })
  })
})

test('the build cache is listed and cleared away', async () => {
  await using on = await bench(async () => image)
  const { record } = await on.grpc.call(control.diskUsage, { filter: ['type==regular'] })
  assert.partialDeepStrictEqual(record[0], { id: 'step-1', size: 10, usageCount: 3, recordType: 'regular' })
  assert.deepEqual((await on.grpc.call(control.diskUsage, { filter: ['type==source.http'] })).record, [])
  const gone = await Array.fromAsync(on.grpc.responses(control.prune, { all: true, keepDuration: 1e9 }))
  assert.deepEqual(
    gone.map(({ id, size }) => [id, size]),
    [['step-1', 10]],
  )
  await assert.rejects(on.grpc.call(control.diskUsage, { filter: ['size!=1'] }), { message: /by "size!=1"/ })
})

test('ListWorkers, Info and the history tell what buildx looks at', async () => {
  await using on = await bench(async () => image)
  const { record } = await on.grpc.call(control.listWorkers, {})
  assert.equal(record[0]?.id, 'worker-1')
  assert.equal(record[0]?.labels.get('org.mobyproject.buildkit.worker.moby.host-gateway-ip'), '172.17.0.1')
  assert.equal(record[0]?.platforms[0]?.os, 'linux')
  assert.match((await on.grpc.call(control.info, {})).version?.version ?? '', /^v\d/)
  assert.deepEqual(await Array.fromAsync(on.grpc.responses(control.listenBuildHistory, { earlyExit: true })), [])
  await assert.rejects(on.grpc.call(llbBridge.ping, {}, { timeout: 500 }), error => isFailure(error, 'cancelled'))
})
