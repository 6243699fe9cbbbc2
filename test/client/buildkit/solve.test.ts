import assert from 'node:assert/strict'
import { once } from 'node:events'
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { GrpcFailure } from '../../../src/api/buildkit/grpc-status.ts'
import { auth, secrets, ssh } from '../../../src/api/buildkit/session-services.ts'
import { BuildFailure } from '../../../src/client/buildkit/build-failure.ts'
import type { BuildEvent } from '../../../src/client/buildkit/events.ts'
import type { Served } from '../../../src/client/buildkit/served.ts'
import { type Solve, solve } from '../../../src/client/buildkit/solve.ts'
import { SshAgents } from '../../../src/client/buildkit/ssh-agent.ts'
import { Failure } from '../../../src/lib/failure.ts'
import { command } from '../../support/command.ts'
import { lacking, program } from '../../support/needs.ts'
import { type Building, builder, received } from './builder.ts'

const root = mkdtempSync(join(tmpdir(), 'tscompose-solve-'))
after(() => rmSync(root, { recursive: true }))

function requestOf(served: Partial<Served> = {}): Solve {
  return {
    attributes: new Map([['filename', 'Dockerfile']]),
    names: ['a', 'b:1'],
    entitlements: ['network.host'],
    cacheFrom: [],
    cacheTo: [],
    sharedKey: 'key',
    served: {
      folders: new Map(),
      secret: async () => undefined,
      credentials: async () => undefined,
      agent: async () => undefined,
      ...served,
    },
  }
}

/** Runs one build; what it told, and what came of it. */
async function run(
  building: (building: Building) => Promise<unknown>,
  served: Partial<Served> = {},
  signal = new AbortController().signal,
) {
  const events: BuildEvent[] = []
  const made = builder(async each => {
    await building(each)
    return new Map([['containerimage.digest', 'sha256:1']])
  })
  const work = solve(made.client, requestOf(served), { signal, onEvent: event => events.push(event) })
  const outcome = await work.then(
    result => ({ result, error: undefined }),
    (error: unknown) => ({ result: undefined, error }),
  )
  await made.over()
  return { ...outcome, events, sessions: made.sessions }
}

describe('solve()', () => {
  test('asks the Dockerfile frontend for an image of these names, and leaves no connection', async () => {
    let asked: Building['request'] | undefined
    const { result, sessions } = await run(async ({ request }) => {
      asked = request
    })
    assert.deepEqual([...result!], [['containerimage.digest', 'sha256:1']])
    assert.equal(asked!.frontend, 'dockerfile.v0')
    assert.deepEqual([...asked!.frontendAttributes], [['filename', 'Dockerfile']])
    assert.deepEqual([asked!.exporters[0]!.type, asked!.exporters[0]!.attributes.get('name')], ['moby', 'a,b:1'])
    assert.deepEqual(asked!.entitlements, ['network.host'])
    const headers = sessions[0]!
    assert.equal(headers['X-Docker-Expose-Session-Uuid'], asked!.session)
    assert.equal(headers['X-Docker-Expose-Session-Sharedkey'], 'key')
    assert.ok(headers['X-Docker-Expose-Session-Grpc-Method']!.includes('/moby.filesync.v1.FileSync/DiffCopy'))
  })

  test('asks the builder which address host-gateway is, and leaves the word to one that does not tell', async () => {
    for (const [address, hosts] of [
      ['10.1.2.3', 'a=10.1.2.3,b=1.1.1.1,c=10.1.2.3'],
      [undefined, 'a=host-gateway,b=1.1.1.1,c=host-gateway'],
    ] as const) {
      let asked: Building['request'] | undefined
      const made = builder(
        async ({ request }) => {
          asked = request
          return new Map()
        },
        { labels: address === undefined ? {} : { 'org.mobyproject.buildkit.worker.moby.host-gateway-ip': address } },
      )
      const attributes = new Map([['add-hosts', 'a=host-gateway,b=1.1.1.1,c=host-gateway']])
      const { signal } = new AbortController()
      await solve(made.client, { ...requestOf(), attributes }, { signal, onEvent: () => {} })
      await made.over()
      assert.equal(asked!.frontendAttributes.get('add-hosts'), hosts)
    }
  })

  test('sends the files of a folder that are asked for, and no other folder', async () => {
    const folder = join(root, 'context')
    mkdirSync(join(folder, 'a'), { recursive: true })
    writeFileSync(join(folder, 'a/small'), 'text')
    writeFileSync(join(folder, 'a/empty'), '')
    const big = 'x'.repeat(300_000)
    writeFileSync(join(folder, 'big'), big)
    linkSync(join(folder, 'a/small'), join(folder, 'hard'))
    writeFileSync(join(folder, 'ü'), 'ignored')
    const { error } = await run(
      async ({ session }) => {
        const ignored = { 'exclude-patterns': ['%C3%BC'], 'exclude-patterns-encoded': ['1'] }
        assert.deepEqual(await received(session, 'context', ignored), {
          a: 'folder',
          'a/empty': '',
          'a/small': 'text',
          big,
          hard: '→a/small',
        })
        assert.deepEqual(Object.keys(await received(session, 'context', { followpaths: ['big'] })), ['big'])
        assert.deepEqual(await received(session, 'dockerfile'), { Dockerfile: 'FROM scratch' })
        await assert.rejects(received(session, 'other'), { kind: 'not-found' })
      },
      {
        folders: new Map([
          ['context', { kind: 'folder', path: folder }],
          ['dockerfile', { kind: 'texts', texts: new Map([['Dockerfile', Buffer.from('FROM scratch')]]) }],
        ]),
      },
    )
    assert.equal(error, undefined)
  })

  test('fails the transfer, and no more, for a file that cannot be read any more', async () => {
    const folder = join(root, 'gone')
    mkdirSync(folder)
    writeFileSync(join(folder, 'file'), 'text')
    const { error } = await run(
      async ({ session }) => {
        const { fileSync, packetTypes } = await import('../../../src/api/buildkit/file-sync.ts')
        const call = session.open(fileSync.diffCopy, { metadata: new Map([['dir-name', ['context']]]) })
        await assert.rejects(
          async () => {
            for await (const { type, stat } of call.messages) {
              if (type !== packetTypes.stat || stat) continue
              rmSync(join(folder, 'file'))
              await call.send({ type: packetTypes.request, id: 0 })
            }
          },
          { message: /Cannot read ".*\/gone\/file" of the context: ENOENT/ },
        )
      },
      { folders: new Map([['context', { kind: 'folder', path: folder }]]) },
    )
    assert.equal(error, undefined)
  })

  test('gives secrets and credentials by their names alone', async () => {
    const { error } = await run(
      async ({ session }) => {
        assert.equal(Buffer.from((await session.call(secrets.getSecret, { id: 'a' })).data).toString(), 'hush')
        await assert.rejects(session.call(secrets.getSecret, { id: 'b' }), { kind: 'not-found', message: /secret b/ })
        const known = await session.call(auth.credentials, { host: 'r:5000' })
        assert.deepEqual([known.username, known.secret], ['me', 'pass'])
        assert.equal((await session.call(auth.credentials, { host: 'other' })).username, '')
        await assert.rejects(session.call(auth.fetchToken, { host: 'r:5000' }), { kind: 'unsupported' })
      },
      {
        secret: async id => (id === 'a' ? Buffer.from('hush') : undefined),
        credentials: async host => (host === 'r:5000' ? { username: 'me', secret: 'pass' } : undefined),
      },
    )
    assert.equal(error, undefined)
  })

  test('forwards the agent of an id, both ways', async t => {
    const socket = join(root, 'agent')
    const server = createServer(agent => agent.pipe(agent)).listen(socket)
    await once(server, 'listening')
    t.after(() => server.close())
    const { error } = await run(
      async ({ session }) => {
        await session.call(ssh.checkAgent, { id: '' })
        await assert.rejects(session.call(ssh.checkAgent, { id: 'other' }), { message: /unset ssh forward key other/ })
        const call = session.open(ssh.forwardAgent, { metadata: new Map([['buildkit.ssh.id', ['default']]]) })
        await call.send({ data: Buffer.from('sign this') })
        let answer = ''
        for await (const { data } of call.messages) {
          answer += Buffer.from(data).toString()
          if (answer.length === 9) call.end()
        }
        assert.equal(answer, 'sign this')
      },
      { agent: id => new SshAgents(new Map([['default', socket]])).open(id) },
    )
    assert.equal(error, undefined)
  })

  test('tells steps, parts, output and warnings', async () => {
    const at = { seconds: 2, nanos: 500_000_000 }
    const { events } = await run(async ({ tell }) => {
      tell({ vertexes: [{ digest: 's', name: 'RUN x', started: at, missed: 'ARG V: 1 → 2' }] })
      tell({
        statuses: [{ vertex: 's', id: 'sending', current: 1, total: 2, started: at }],
        logs: [{ vertex: 's', stream: 2, data: Buffer.from('hm\n'), timestamp: at }],
        warnings: [
          {
            short: Buffer.from('Odd'),
            url: 'u',
            info: { filename: 'Dockerfile', data: Buffer.from('FROM x') },
            ranges: [{ start: { line: 1 }, end: { line: 1 } }],
          },
        ],
      })
    })
    const [step, part, output, warning] = events
    assert.deepEqual(step, {
      kind: 'step',
      step: 's',
      name: 'RUN x',
      cached: false,
      missed: 'ARG V: 1 → 2',
      started: 2500,
      completed: undefined,
      error: undefined,
    })
    assert.deepEqual([part!.kind, output!.kind, warning!.kind], ['part', 'output', 'warning'])
    assert.equal((output as BuildEvent & { kind: 'output' }).stream, 'stderr')
    assert.deepEqual((warning as BuildEvent & { kind: 'warning' }).source, {
      file: 'Dockerfile',
      text: 'FROM x',
      ranges: [{ first: 1, last: 1 }],
    })
  })

  test('fails with the sentence, the step and the lines of the Dockerfile', async () => {
    const json = (name: string, value: object) => ({
      typeUrl: `github.com/moby/buildkit/errdefs.${name}+json`,
      value: Buffer.from(JSON.stringify(value)),
    })
    const source = {
      info: { filename: 'Dockerfile', data: Buffer.from('FROM x\nRUN y').toString('base64') },
      ranges: [{ start: { line: 2 }, end: { line: 2 } }],
    }
    const details = [json('Vertex', { digest: 'sha256:9' }), json('Source', source)]
    const { error } = await run(async () => {
      throw new GrpcFailure('internal', 'failed to solve: it did not end well', { details })
    })
    assert.ok(error instanceof BuildFailure)
    assert.equal(error.message, 'it did not end well')
    assert.equal(error.step, 'sha256:9')
    assert.deepEqual(error.source, { file: 'Dockerfile', text: 'FROM x\nRUN y', ranges: [{ first: 2, last: 2 }] })
  })

  test('fails with the sentence alone where the details are none that are known', async () => {
    const details = [{ typeUrl: 'github.com/moby/buildkit/errdefs.Source+json', value: Buffer.from('{') }]
    const { error } = await run(async () => {
      throw new GrpcFailure('invalid', 'no', { details })
    })
    assert.ok(error instanceof BuildFailure)
    assert.deepEqual([error.kind, error.message, error.source], ['invalid', 'no', undefined])
  })

  test('ends at the signal, with what it had open', async () => {
    const stop = new AbortController()
    const { error } = await run(
      async () => {
        stop.abort()
        await new Promise(() => {})
      },
      {},
      stop.signal,
    )
    assert.ok(error instanceof Failure)
    assert.equal(error.kind, 'cancelled')
  })
})

describe('SshAgents', () => {
  // others make such folders too
  const own = join(root, 'tmp')
  const { TMPDIR } = process.env
  before(() => {
    mkdirSync(own)
    process.env['TMPDIR'] = own
  })
  after(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = TMPDIR
  })

  test('says what it misses', async () => {
    const paths = [
      ['default', undefined],
      ['x', join(root, 'no-such')],
    ] as const
    const agents = new SshAgents(new Map(paths))
    assert.equal(await agents.open('other'), undefined)
    await assert.rejects(agents.open('default'), { kind: 'not-found', message: /SSH_AUTH_SOCK is not set/ })
    await assert.rejects(agents.open('x'), { kind: 'unavailable', message: /ENOENT/ })
    await agents.close()
  })

  const tools = lacking(program('ssh-agent'), program('ssh-add'), program('ssh-keygen'))
  test('an agent for the file of a key knows that key, and is gone with its folder afterwards', {
    skip: tools,
  }, async () => {
    const key = join(root, 'key')
    assert.equal((await command('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'mine', '-f', key])).code, 0)
    const agents = new SshAgents(new Map([['k', key]]))
    const [one, two] = await Promise.all([agents.open('k'), agents.open('k')])
    // RFC draft-miller-ssh-agent: 11 asks for the identities, 12 answers
    one!.write(Buffer.from([0, 0, 0, 1, 11]))
    const [answer] = (await once(one!, 'data')) as [Buffer]
    assert.deepEqual([answer[4], answer.readUInt32BE(5)], [12, 1])
    assert.ok(answer.includes('mine'))
    for (const each of [one!, two!]) each.destroy()
    await agents.close()
    assert.deepEqual(readdirSync(own), [])
  })

  test('a file that is no key is refused, and leaves no agent', { skip: tools }, async () => {
    const file = join(root, 'no-key')
    writeFileSync(file, 'text', { mode: 0o600 })
    const agents = new SshAgents(new Map([['k', file]]))
    await assert.rejects(agents.open('k'), { kind: 'unavailable', message: /key ".*no-key" cannot be used/ })
    await agents.close()
    assert.deepEqual(readdirSync(own), [])
  })
})
