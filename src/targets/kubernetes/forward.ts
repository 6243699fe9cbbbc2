/**
 * Ports of pods as ports of this machine: each connection is led over a WebSocket of its own (v4.channel.k8s.io) to a pod that is ready then,
 * so that what pods are replaced by is reached too. A port has two channels, of its data and of what is wrong with it; the first message of
 * each is the port's number in two bytes (kubelet, portforward/websocket.go).
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { WebSocket } from 'ws'
import { errnoOf, Failure, messageOf } from '../../lib/failure.ts'
import type { Forwarded, ForwardOptions, Reached } from '../target.ts'
import { labels } from './labels.ts'
import type { LivePod } from './live.ts'
import { objectName } from './names.ts'
import { serviceName } from './parts.ts'
import type { Cluster } from './rest/cluster.ts'
import { listOf, pathOf } from './rest/objects.ts'
import { messagesOf, opened } from './web-socket.ts'

const protocol = 'v4.channel.k8s.io'
const channels = { data: 0, error: 1 } as const
/** Milliseconds that a pod may say nothing once whoever has connected says nothing more. */
const lastWords = 10_000

export async function forwardPorts(cluster: Cluster, project: string, options: ForwardOptions): Promise<Forwarded> {
  const { services, signal } = options
  const pods = await readyPods(cluster, project, signal)
  const wanted = new Map<string, { readonly service: string; readonly port: number }>()
  for (const pod of pods) {
    const service = serviceName(pod)
    if (services && !services.includes(service)) continue
    for (const { containerPort: port, protocol: of = 'TCP' } of pod.spec?.containers?.[0]?.ports ?? [])
      if (of === 'TCP') wanted.set(`${service} ${port}`, { service, port })
  }
  const open = new Set<Socket>()
  const servers: Server[] = []
  const close = async () => {
    const ended = servers.map(server => new Promise(done => server.close(done)))
    for (const socket of open) socket.destroy()
    await Promise.all(ended)
  }
  try {
    const reached: Reached[] = []
    for (const { service, port } of wanted.values()) {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, socket => {
        open.add(socket)
        socket.once('close', () => open.delete(socket))
        lead(cluster, socket, { project, service, port, signal }).catch(error => {
          socket.destroy()
          if (!signal.aborted) options.onFailure(`${service}: ${messageOf(error)}`)
        })
      })
      servers.push(server)
      const hostPort = await listen(server, port)
      reached.push({ service, name: objectName(service), port, protocol: 'tcp', host: 'localhost', hostPort })
    }
    return { reached, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

async function readyPods(cluster: Cluster, project: string, signal: AbortSignal): Promise<readonly LivePod[]> {
  const labelSelector = `${labels.stack}=${objectName(project)}`
  const { namespace } = cluster.access
  const { items } = await listOf<LivePod>(cluster, 'Pod', { namespace, labelSelector, signal })
  return items.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined &&
      status?.phase === 'Running' &&
      status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True',
  )
}

/** The same number where it is free and needs no rights, otherwise any. */
async function listen(server: Server, port: number): Promise<number> {
  for (const wanted of port >= 1024 ? [port, 0] : [0])
    try {
      server.listen(wanted, '127.0.0.1')
      await once(server, 'listening')
      break
    } catch (error) {
      if (errnoOf(error) !== 'EADDRINUSE' || wanted === 0) throw error
    }
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('It listens on no port')
  return address.port
}

interface Way {
  readonly project: string
  readonly service: string
  readonly port: number
  readonly signal: AbortSignal
}

/** Until both sides have ended. @throws Failure when no pod takes it */
async function lead(cluster: Cluster, socket: Socket, { project, service, port, signal }: Way): Promise<void> {
  const pods = await readyPods(cluster, project, signal)
  const pod = pods.find(each => serviceName(each) === service)
  if (!pod) throw new Failure('unavailable', 'no pod of it is ready')
  const { name, namespace = cluster.access.namespace } = pod.metadata
  const { headers, tls } = await cluster.socketOptions()
  const path = `${pathOf('Pod', namespace, name)}/portforward?ports=${port}`
  const remote = new WebSocket(`${cluster.access.server.replace(/^http/, 'ws')}${path}`, protocol, {
    headers,
    ...tls,
    perMessageDeflate: false,
  })
  const messages = messagesOf(remote)
  await opened(remote, signal, 'Cannot reach the port')
  const stop = () => remote.terminate()
  signal.addEventListener('abort', stop, { once: true })
  socket.on('error', stop)
  socket.once('close', stop)
  const silence = { timer: undefined as NodeJS.Timeout | undefined, begun: false }
  const listenOn = () => {
    clearTimeout(silence.timer)
    // the channels know no end of one side
    if (silence.begun) silence.timer = setTimeout(stop, lastWords)
  }
  socket.once('end', () => {
    silence.begun = true
    listenOn()
  })
  socket.on('data', (data: Buffer) => {
    socket.pause()
    remote.send(Buffer.concat([Buffer.of(channels.data), data]), () => socket.resume())
  })
  socket.resume()
  const begun = new Set<number>()
  try {
    for await (const message of messages as AsyncIterable<Buffer>) {
      const [channel = 0] = message
      const data = message.subarray(1)
      if (!begun.has(channel)) begun.add(channel)
      else if (channel === channels.error) throw new Failure('unavailable', data.toString().trim())
      else if (!socket.write(data)) await once(socket, 'drain')
      listenOn()
    }
  } catch (error) {
    // who has connected is gone, and wants to know of nothing
    if (!socket.destroyed) throw error
  } finally {
    clearTimeout(silence.timer)
    signal.removeEventListener('abort', stop)
    remote.terminate()
    socket.end()
  }
}
