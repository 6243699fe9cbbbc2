/** A connection over TCP, TLS or a Unix stream socket: what is written is known to be with the kernel, and a break is noticed. */
import { readFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import { type Target, type TlsFiles, targetText } from './address.ts'

export type StreamTarget = Extract<Target, { readonly kind: 'tcp' | 'tls' | 'unix' }>

/** How long a server may take to answer a connection, and to close one, in milliseconds. */
const patience = 10_000
const closing = 2000

export class StreamConnection {
  readonly #socket: Socket
  #broken: Error | undefined
  #onData: ((data: Buffer) => void) | undefined
  #onBreak: ((error: Error) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    // a server that closes takes nothing more
    socket.on('end', () => this.#breaks(new Error('the server has closed the connection')))
    socket.on('close', () => this.#breaks(new Error('the connection is closed')))
    socket.on('error', error => this.#breaks(error))
    // what it sends nobody asked for, unless somebody listens
    socket.on('data', data => this.#onData?.(data))
  }

  /** @throws Failure `unavailable` saying why not. */
  static async open(target: StreamTarget, signal: AbortSignal): Promise<StreamConnection> {
    const socket = openSocket(target)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(new Error('it does not answer')), patience)
    const stop = () => reject(new Error('it is not waited for'))
    signal.addEventListener('abort', stop)
    socket.on('error', reject)
    socket.once(target.kind === 'tls' ? 'secureConnect' : 'connect', resolve)
    if (signal.aborted) stop()
    try {
      await promise
      socket.setNoDelay(true)
      return new StreamConnection(socket)
    } catch (cause) {
      socket.destroy()
      throw new Failure('unavailable', `Cannot connect to "${targetText(target)}": ${reasonOf(cause)}`, { cause })
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      socket.off('error', reject)
    }
  }

  /** Resolves when the kernel has it. @throws Error when the connection is broken. */
  write(bytes: Buffer | string): Promise<void> {
    if (this.#broken) return Promise.reject(this.#broken)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#onBreak = reject
    this.#socket.write(bytes, error => {
      this.#onBreak = undefined
      if (error) reject(error)
      else resolve()
    })
    return promise
  }

  /** Hears what the server sends. */
  listen(onData: (data: Buffer) => void, onBreak: (error: Error) => void): void {
    this.#onData = onData
    this.#socket.once('close', () => onBreak(this.#broken ?? new Error('the connection is closed')))
  }

  /** What was written goes out first. */
  async close(): Promise<void> {
    if (this.#broken) {
      this.#socket.destroy()
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(() => this.#socket.destroy(), closing)
    this.#socket.once('close', () => resolve())
    this.#socket.end()
    await promise
    clearTimeout(timer)
  }

  #breaks(error: Error): void {
    this.#broken ??= error
    this.#onBreak?.(error)
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.destroy()
  }
}

function openSocket(target: StreamTarget): Socket {
  if (target.kind === 'unix') return connectTcp(target.path)
  const { host, port } = target
  if (target.kind === 'tcp') return connectTcp({ host, port })
  return connectTls({ host, port, servername: host, ...tlsOptions(target.tls) })
}

/** @throws Failure `invalid` in the words of the real engine. */
function tlsOptions({ ca, cert, key, skipVerify }: TlsFiles): ConnectionOptions {
  const pair = cert || key ? { cert: fileOf(cert ?? '', pairText), key: fileOf(key ?? '', pairText) } : {}
  return {
    ...(ca && { ca: fileOf(ca, path => `could not read CA certificate ${JSON.stringify(path)}`) }),
    ...pair,
    rejectUnauthorized: !skipVerify,
  }
}

const pairText = () => 'Could not load X509 key pair'

function fileOf(path: string, what: (path: string) => string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    const why = errnoOf(cause) === 'ENOENT' ? 'no such file or directory' : errnoOf(cause)
    throw new Failure('invalid', `${what(path)}: open ${path}: ${why}`, { cause })
  }
}

function reasonOf(error: unknown): string {
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    ENOENT: 'no such file or directory',
    ENOTFOUND: 'no such host',
  }
  const errno = errnoOf(error)
  return (errno && known[errno]) ?? (error as Error).message
}
