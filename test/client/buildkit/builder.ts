/** A builder for tests: answers Solve by a function that may call the session back, as BuildKit does. */
import type { Duplex } from 'node:stream'
import { control } from '../../../src/api/buildkit/control.ts'
import { fileSync, packetTypes } from '../../../src/api/buildkit/file-sync.ts'
import { GrpcClient } from '../../../src/api/buildkit/grpc-client.ts'
import { implement, serveGrpc } from '../../../src/api/buildkit/grpc-server.ts'
import type { From, Of } from '../../../src/api/buildkit/message.ts'
import type { Client, UpgradeOptions } from '../../../src/client/client.ts'
import { connectedPair } from '../../support/connected-pair.ts'

export type SolveRequest = Of<typeof control.solve.request>
export type Status = From<typeof control.status.response>

export interface Building {
  readonly request: SolveRequest
  readonly session: GrpcClient
  readonly tell: (status: Status) => void
}

export interface Builder {
  readonly client: Client
  /** Headers of the sessions that were opened. */
  readonly sessions: UpgradeOptions['headers'][]
  /** Resolves when all connections are over. */
  readonly over: () => Promise<unknown>
}

export function builder(
  solve: (building: Building) => Promise<ReadonlyMap<string, string>>,
  { labels = {} }: { readonly labels?: Readonly<Record<string, string>> } = {},
): Builder {
  const sessions: UpgradeOptions['headers'][] = []
  const session = Promise.withResolvers<GrpcClient>()
  const status: Status[] = []
  let wake = () => {}
  let done = false
  const tell = (each: Status) => {
    status.push(each)
    wake()
  }
  const services = [
    implement(control, {
      listWorkers: () => ({ record: [{ labels: new Map(Object.entries(labels)) }] }),
      solve: async request => {
        try {
          return { exporterResponse: await solve({ request, session: await session.promise, tell }) }
        } finally {
          done = true
          wake()
        }
      },
      status: async function* () {
        for (;;) {
          yield* status.splice(0)
          if (done) return
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
      },
    }),
  ]
  const connections: Promise<unknown>[] = []
  const upgrade = async (path: string, options: UpgradeOptions = {}): Promise<Duplex> => {
    const [ours, theirs] = await connectedPair()
    if (path === '/grpc') connections.push(serveGrpc(ours, { services }))
    else {
      sessions.push(options.headers)
      const caller = new GrpcClient(ours)
      connections.push(caller.closed)
      session.resolve(caller)
    }
    return theirs
  }
  return { client: { upgrade } as unknown as Client, sessions, over: () => Promise.all(connections) }
}

/** What a folder of the session holds: path → content, or its kind. Files are asked for one by one, all at once. */
export async function received(
  session: GrpcClient,
  folder: string,
  metadata: Readonly<Record<string, readonly string[]>> = {},
): Promise<Readonly<Record<string, string>>> {
  const call = session.open(fileSync.diffCopy, {
    metadata: new Map([['dir-name', [folder]], ...Object.entries(metadata)]),
  })
  const stats: { readonly path: string; readonly mode: number; readonly linkName: string }[] = []
  const contents = new Map<number, string>()
  let open = 0
  let told = false
  for await (const { type, stat, id, data } of call.messages) {
    if (type === packetTypes.stat && stat) {
      if (stat.mode < 2 ** 20 && stat.linkName === '') {
        open++
        await call.send({ type: packetTypes.request, id: stats.length })
      }
      stats.push(stat)
    } else if (type === packetTypes.stat) told = true
    else if (type === packetTypes.data && data.length > 0)
      contents.set(id, (contents.get(id) ?? '') + Buffer.from(data).toString('latin1'))
    else if (type === packetTypes.data) open--
    else if (type === packetTypes.finish) break
    if (told && open === 0) await call.send({ type: packetTypes.finish })
  }
  call.end()
  const kind = ({ mode, linkName }: (typeof stats)[number]) => (mode >= 2 ** 31 ? 'folder' : `→${linkName}`)
  return Object.fromEntries(
    stats.map((stat, i) => [
      stat.path,
      contents.get(i) ?? (stat.mode < 2 ** 20 && stat.linkName === '' ? '' : kind(stat)),
    ]),
  )
}
