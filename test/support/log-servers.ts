/** Servers that logs are sent to, on loopback: what came stands in order. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { which } from './needs.ts'

export interface LogServer extends AsyncDisposable {
  readonly port: number
  readonly received: Buffer[]
}

export async function udpServer(): Promise<LogServer> {
  const received: Buffer[] = []
  const socket = createSocket('udp4')
  socket.on('message', message => received.push(message))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    port: socket.address().port,
    received,
    [Symbol.asyncDispose]: async () => {
      socket.close()
    },
  }
}

export interface StreamServerOptions {
  /** A Unix socket instead of a port. */
  readonly path?: string
  readonly port?: number
  readonly tls?: TlsOptions
  readonly onData?: (socket: Socket, data: Buffer) => void
}

export async function streamServer({ path, port = 0, tls, onData }: StreamServerOptions = {}): Promise<LogServer> {
  const received: Buffer[] = []
  const sockets = new Set<Socket>()
  const serve = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', data => {
      received.push(data)
      onData?.(socket, data)
    })
  }
  const server = tls ? createTlsServer(tls, serve) : createServer(serve)
  if (path === undefined) server.listen(port, '127.0.0.1')
  else server.listen(path)
  await once(server, 'listening')
  return {
    port: path === undefined ? (server.address() as AddressInfo).port : 0,
    received,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Node has no Unix datagrams: Python receives them, a line of base64 each. */
const receiver = `
import base64, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('ready', flush=True)
while True:
    print(base64.b64encode(s.recv(1 << 20)).decode(), flush=True)
`

/** Needs the program "python3". */
export async function datagramServer(path: string): Promise<LogServer> {
  const child: ChildProcess = spawn(which('python3')!, ['-c', receiver, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const received: Buffer[] = []
  const lines = createInterface(child.stdout!)
  await once(lines, 'line')
  lines.on('line', line => received.push(Buffer.from(line, 'base64')))
  return {
    port: 0,
    received,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
