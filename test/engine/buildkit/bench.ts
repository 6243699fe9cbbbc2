import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'node:test'
import { control } from '../../../src/api/buildkit/control.ts'
import { llbBridge } from '../../../src/api/buildkit/gateway.ts'
import { GrpcClient } from '../../../src/api/buildkit/grpc-client.ts'
import { type Implementation, serveGrpc } from '../../../src/api/buildkit/grpc-server.ts'
import type { GrpcFailure } from '../../../src/api/buildkit/grpc-status.ts'
import type { From } from '../../../src/api/buildkit/message.ts'

import type { CacheItem } from '../../../src/engine/build/cache-prune.ts'
import { targetsOf } from '../../../src/engine/build/dockerfile/inspect.ts'

import type { OnBuildEvent } from '../../../src/engine/build/events.ts'
import type { BuildRequest } from '../../../src/engine/build/request.ts'
import { BuildKit } from '../../../src/engine/buildkit/buildkit.ts'
import { BuildHistory } from '../../../src/engine/buildkit/history.ts'
import { Mirrors } from '../../../src/engine/buildkit/mirrors.ts'
import type { Image } from '../../../src/engine/images/image.ts'
import { Failure } from '../../../src/lib/failure.ts'
import { connectedPair } from '../../support/connected-pair.ts'
import { folderOf, serveFolders } from './session-client.ts'

export const image = { id: `sha256:${'a'.repeat(64)}`, tags: [], diffIds: [] } as unknown as Image
export const step = `sha256:${'1'.repeat(64)}`

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
export const dockerfile = { name: 'Dockerfile', text: 'FROM a as one\nFROM one\n' }
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

/** A folder for each test of a file, with a context and a folder for results; its path. */
export function folderForEach(): () => string {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tscompose-buildkit-'))
    mkdirSync(join(root, 'context'))
    mkdirSync(join(root, 'result'))
    writeFileSync(join(root, 'context/Dockerfile'), 'FROM base\nRUN make\n')
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))
  return () => root
}

export type Build = (request: BuildRequest, tell: OnBuildEvent, signal: AbortSignal) => Promise<Image>

export interface Bench extends AsyncDisposable {
  readonly grpc: GrpcClient
  readonly requests: BuildRequest[]
  readonly problems: string[]
  /** As buildx does: the client is the frontend, and asks for the Dockerfile's. */
  buildx(options?: BuildxOptions): Promise<ReadonlyMap<string, string>>
}

export interface BuildxOptions {
  readonly ref?: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly request?: From<typeof control.solve.request>
  readonly signal?: AbortSignal
}

/** The real services over real sockets, with a builder that does what the test says. */
export async function bench(build: Build, services: readonly Implementation[] = []): Promise<Bench> {
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
      letGo: async () => {},
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
    history: new BuildHistory({ folder: join(root, 'history'), say: line => problems.push(line) }),
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

export const now = () => performance.timeOrigin + performance.now()
