/** What the builder may ask of us while it builds: files, secrets, credentials, the SSH agent. It calls; we serve. */
import type { Duplex } from 'node:stream'
import { syncKeys } from '../../api/buildkit/file-sync.ts'
import { type Call, type Implementation, implement, serveGrpc } from '../../api/buildkit/grpc-server.ts'
import { both, service } from '../../api/buildkit/service.ts'
import { sessionHeaders } from '../../api/buildkit/session-headers.ts'
import { auth, health, secrets, ssh, sshIdKey } from '../../api/buildkit/session-services.ts'
import { Failure } from '../../lib/failure.ts'
import type { Client } from '../client.ts'
import { layoutService } from './layouts.ts'
import { rawPacket, sendFiles } from './send-files.ts'
import type { Served } from './served.ts'

export interface SessionOptions {
  readonly id: string
  /** The same for the same sources: the builder then asks only for what has changed. */
  readonly sharedKey: string
  readonly signal: AbortSignal
}

/** Connects, and serves until the signal fires; the promise in it rejects never. */
export async function openSession(
  client: Client,
  served: Served,
  { id, sharedKey, signal }: SessionOptions,
): Promise<{ readonly over: Promise<void> }> {
  const services = servicesOf(served)
  const socket = await client.upgrade('/session', {
    headers: {
      [sessionHeaders.id]: id,
      [sessionHeaders.name]: 'tscompose',
      [sessionHeaders.sharedKey]: sharedKey,
      [sessionHeaders.method]: services.flatMap(implementation => [...implementation.keys()]),
    },
    signal,
  })
  return { over: serveGrpc(socket, { services }, signal) }
}

const rawFileSync = service('moby.filesync.v1.FileSync', { diffCopy: both('DiffCopy', rawPacket, rawPacket) })

function servicesOf(served: Served): readonly Implementation[] {
  return [
    ...(served.layouts?.size ? [layoutService(served.layouts)] : []),
    implement(health, { check: () => ({ status: 1 }) }),
    implement(rawFileSync, {
      diffCopy: (packets, call) => {
        const name = first(call, syncKeys.folder) ?? ''
        const folder = served.folders.get(name)
        if (!folder) throw new Failure('not-found', `Cannot send folder "${name}": no access allowed to it`)
        const wanted = {
          include: all(call, syncKeys.include),
          exclude: all(call, syncKeys.exclude),
          follow: all(call, syncKeys.follow),
        }
        return sendFiles(packets, {
          root: folder.kind === 'folder' ? folder.path : '',
          texts: folder.kind === 'texts' ? folder.texts : undefined,
          ...wanted,
          onTold: print => served.onAsked?.({ folder: name, ...wanted, print }),
        })
      },
    }),
    implement(secrets, {
      getSecret: async ({ id }) => {
        const data = await served.secret(id)
        if (data === undefined) throw new Failure('not-found', `secret ${id}: not found`)
        return { data }
      },
    }),
    // tokens are the builder's to fetch, with these
    implement(auth, { credentials: async ({ host }) => (await served.credentials(host)) ?? {} }),
    implement(ssh, {
      checkAgent: async ({ id }) => {
        const agent = await served.agent(id || 'default')
        if (!agent) throw unknownAgent(id)
        agent.destroy()
        return {}
      },
      forwardAgent: async function* (messages, call) {
        const id = first(call, sshIdKey) || 'default'
        const agent = await served.agent(id)
        if (!agent) throw unknownAgent(id)
        yield* forwarded(agent, messages)
      },
    }),
  ]
}

/** Both directions of a connection. */
async function* forwarded(
  agent: Duplex,
  messages: AsyncIterable<{ readonly data: Uint8Array }>,
): AsyncGenerator<{ readonly data: Uint8Array }> {
  const sending = (async () => {
    for await (const { data } of messages) if (!agent.write(data)) await drained(agent)
    agent.end()
  })()
  // the builder has had enough; what is left to read tells how it ended
  sending.catch(() => agent.destroy())
  try {
    for await (const data of agent) yield { data: data as Uint8Array }
  } finally {
    agent.destroy()
  }
}

function drained(stream: Duplex): Promise<void> {
  return new Promise(resolve => {
    const go = () => {
      stream.off('drain', go).off('close', go)
      resolve()
    }
    stream.on('drain', go).on('close', go)
  })
}

function unknownAgent(id: string): Failure {
  return new Failure('not-found', `unset ssh forward key ${id}`)
}

function first(call: Call, key: string): string | undefined {
  return all(call, key)[0]
}

/** Values that are not plain ASCII travel as in a query, and say so. */
function all({ metadata }: Call, key: string): readonly string[] {
  const values = metadata.get(key) ?? []
  if (metadata.get(`${key}-encoded`)?.[0] !== '1') return values
  return values.map(value => decodeURIComponent(value.replaceAll('+', ' ')))
}
