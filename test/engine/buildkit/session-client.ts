/** A client's end of a session, for tests: it serves a folder and whatever else a test hands in, over a connection in memory. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { fileStat, packet } from '../../../src/api/buildkit/file-sync.ts'
import { fileSync, packetTypes, syncKeys } from '../../../src/api/buildkit/file-sync.ts'
import { type Implementation, implement, serveGrpc } from '../../../src/api/buildkit/grpc-server.ts'
import type { From } from '../../../src/api/buildkit/message.ts'
import { goMode } from '../../../src/api/go-mode.ts'
import { type ClientSession, Sessions } from '../../../src/engine/buildkit/sessions.ts'
import { Failure } from '../../../src/lib/failure.ts'
import { connectedPair } from '../../support/connected-pair.ts'

export type Stat = From<typeof fileStat>
type Packet = From<typeof packet>

export interface ServedFolder {
  stats(): readonly Stat[]
  content(path: string): Buffer
}

/** A folder of this machine as a client walks it. */
export function folderOf(root: string): ServedFolder {
  const stats = (): Stat[] => {
    const inodes = new Map<bigint, string>()
    const walk = (folder: string): Stat[] =>
      readdirSync(join(root, folder))
        .sort()
        .flatMap(name => {
          const path = folder === '' ? name : `${folder}/${name}`
          const stat = lstatSync(join(root, path), { bigint: true })
          const first = inodes.get(stat.ino)
          if (stat.isFile()) inodes.set(stat.ino, first ?? path)
          const own: Stat = {
            path,
            mode: goMode(Number(stat.mode)),
            size: stat.isDirectory() ? 0 : Number(stat.size),
            modified: stat.mtimeNs,
            linkName: stat.isSymbolicLink() ? readlinkSync(join(root, path)) : stat.isFile() ? (first ?? '') : '',
          }
          return stat.isDirectory() ? [own, ...walk(path)] : [own]
        })
    return walk('')
  }
  return { stats, content: path => readFileSync(join(root, path)) }
}

export interface SessionRecord {
  /** Paths whose content was asked for, in order. */
  readonly asked: string[]
  readonly metadata: ReadonlyMap<string, readonly string[]>[]
}

/** FileSync of named folders. `stop`: after so many pieces of content the client goes away. */
export function serveFolders(
  folders: Readonly<Record<string, ServedFolder>>,
  { stop = Number.POSITIVE_INFINITY }: { readonly stop?: number } = {},
): SessionRecord & { readonly service: Implementation } {
  const asked: string[] = []
  const metadata: ReadonlyMap<string, readonly string[]>[] = []
  const service = implement(fileSync, {
    diffCopy: async function* (requests, call): AsyncGenerator<Packet> {
      metadata.push(call.metadata)
      const name = call.metadata.get(syncKeys.folder)?.[0] ?? ''
      const folder = folders[name]
      if (!folder) throw new Failure('not-found', `no access allowed to dir "${name}"`)
      const stats = folder.stats()
      for (const stat of stats) yield { type: packetTypes.stat, stat }
      yield { type: packetTypes.stat }
      let pieces = 0
      for await (const request of requests) {
        if (request.type === packetTypes.finish) {
          yield { type: packetTypes.finish }
          return
        }
        if (request.type === packetTypes.error) throw new Failure('invalid', Buffer.from(request.data).toString())
        const path = stats[request.id]!.path!
        asked.push(path)
        const content = folder.content(path)
        for (let at = 0; at < content.length; at += 32 * 1024) {
          if (++pieces > stop) throw new Failure('unavailable', 'gone')
          yield { type: packetTypes.data, id: request.id, data: content.subarray(at, at + 32 * 1024) }
        }
        yield { type: packetTypes.data, id: request.id }
      }
    },
  })
  return { asked, metadata, service }
}

export interface TestSession extends AsyncDisposable {
  readonly session: ClientSession
  readonly sessions: Sessions
}

/** A session with these services, as the engine sees it. */
export async function sessionWith(services: readonly Implementation[], id = 'test'): Promise<TestSession> {
  const sessions = new Sessions()
  const [client, engine] = await connectedPair()
  const served = serveGrpc(client, { services })
  const methods = services.flatMap(service => [...service.keys()])
  const open = sessions.open({ id, sharedKey: 'app', methods })(engine)
  return {
    sessions,
    session: await sessions.get(id, new AbortController().signal),
    async [Symbol.asyncDispose]() {
      sessions.close()
      client.destroy()
      await Promise.all([open, served])
    },
  }
}
