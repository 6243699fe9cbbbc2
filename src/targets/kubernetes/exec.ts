/** A command in a pod of a service, over a WebSocket (v5.channel.k8s.io): a byte before each message says which stream it is. */
import { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import { Failure } from '../../lib/failure.ts'
import type { ExecOptions, ExecSession } from '../target.ts'
import { selectorOf } from './labels.ts'
import type { LivePod } from './live.ts'
import type { Cluster } from './rest/cluster.ts'
import { listOf, pathOf } from './rest/objects.ts'
import { statusOf } from './rest/status.ts'
import { messagesOf, opened } from './web-socket.ts'

const protocol = 'v5.channel.k8s.io'
const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const

/** @throws Failure when there is no such pod, or the command cannot be run */
export async function execIn(cluster: Cluster, project: string, options: ExecOptions): Promise<ExecSession> {
  const { service, index, command, tty, signal } = options
  const pod = await podOf(cluster, project, { service, index, signal })
  const { name, namespace = cluster.access.namespace } = pod.metadata
  const query = new URLSearchParams([
    ['container', pod.spec?.containers?.[0]?.name ?? ''],
    ...command.map(word => ['command', word] as [string, string]),
    ['stdin', 'true'],
    ['stdout', 'true'],
    // a terminal has one stream for both
    ['stderr', String(!tty)],
    ['tty', String(tty)],
  ])
  const { headers, tls } = await cluster.socketOptions()
  const url = `${cluster.access.server.replace(/^http/, 'ws')}${pathOf('Pod', namespace, name)}/exec?${query}`
  const socket = new WebSocket(url, protocol, { headers, ...tls, perMessageDeflate: false })
  const messages = messagesOf(socket)
  await opened(socket, signal, 'Cannot run the command')
  return sessionOf(socket, messages, tty)
}

async function podOf(
  cluster: Cluster,
  project: string,
  { service, index, signal }: Pick<ExecOptions, 'service' | 'index' | 'signal'>,
): Promise<LivePod> {
  const labelSelector = Object.entries(selectorOf(project, service))
    .map(pair => pair.join('='))
    .join(',')
  const { namespace } = cluster.access
  const { items } = await listOf<LivePod>(cluster, 'Pod', { namespace, labelSelector, signal })
  const running = items
    .filter(({ status, metadata }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const found = running[(index ?? 1) - 1]
  if (found) return found
  const which = index === undefined || running.length === 0 ? 'no pod' : `no pod ${index}, of ${running.length},`
  throw new Failure('not-found', `Cannot run a command in service "${service}": ${which} of it runs`, {
    hint: 'See tscompose ps',
  })
}

function sessionOf(socket: WebSocket, messages: Duplex, tty: boolean): ExecSession {
  const ended = Promise.withResolvers<number>()
  let result: number | Failure = new Failure(
    'unavailable',
    'The cluster has ended the connection before the command did',
  )
  const send = (channel: number, data: Uint8Array) =>
    new Promise<void>(done => {
      // one that has ended takes nothing more
      socket.send(Buffer.concat([Buffer.of(channel), data]), () => done())
    })
  async function* output() {
    try {
      for await (const message of messages as AsyncIterable<Buffer>) {
        const data = message.subarray(1)
        if (message[0] === channels.stdout) yield { stream: 'stdout' as const, data }
        else if (message[0] === channels.stderr) yield { stream: 'stderr' as const, data }
        else if (message[0] === channels.error) {
          const { code, said } = exitOf(data.toString())
          result = code
          if (said !== undefined)
            yield { stream: tty ? ('stdout' as const) : ('stderr' as const), data: Buffer.from(`${said}\n`) }
        }
      }
    } finally {
      if (typeof result === 'number') ended.resolve(result)
      else ended.reject(result)
      socket.terminate()
    }
  }
  const stdin = new Duplex({
    read() {},
    write: (data: Buffer, _encoding, done) => void send(channels.stdin, data).then(() => done()),
    final: done => void send(channels.close, Buffer.of(channels.stdin)).then(() => done()),
    destroy: (error, done) => {
      socket.terminate()
      done(error)
    },
  })
  // who has been told already by its output
  ended.promise.catch(() => undefined)
  return {
    session: { tty, socket: stdin, output: output() },
    resize: (rows, columns) => send(channels.resize, Buffer.from(JSON.stringify({ Width: columns, Height: rows }))),
    ended: () => ended.promise,
  }
}

interface Exit {
  readonly code: number
  /** Why it was not started. */
  readonly said?: string
}

/**
 * Of a Status: "Success", or NonZeroExitCode with the code among its causes; of one that could not be started 127 where there is none, otherwise 126, as
 * shells and engines have it.
 */
export function exitOf(text: string): Exit {
  const told = JSON.parse(text) as { readonly status?: string }
  if (told.status === 'Success') return { code: 0 }
  const status = statusOf(text, 500)
  const code = status.causes.find(({ reason }) => reason === 'ExitCode')?.message
  if (code !== undefined && /^\d+$/.test(code)) return { code: Number(code) }
  const isMissing = /not found|no such file or directory/.test(status.message)
  return { code: isMissing ? 127 : 126, said: `Cannot run the command: ${status.message}` }
}
